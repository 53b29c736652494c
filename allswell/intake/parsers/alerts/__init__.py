"""What monitoring tools send: one file for each format, found by its name in `registry`."""
