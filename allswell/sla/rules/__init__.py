"""Service levels, decided without a database: what was agreed, what happened, and what the clocks say. Pure."""
