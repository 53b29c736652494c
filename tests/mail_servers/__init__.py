"""Real mail servers of Debian: Dovecot, as the desk meets it."""
