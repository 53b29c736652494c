"""Speaking with the servers that hold mail for us."""
