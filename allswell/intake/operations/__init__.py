"""Writing what is brought in, many rows at a time, inside the desk's transaction."""
