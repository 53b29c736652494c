"""Reading what came in: history that was brought in, and what monitoring tells."""
