"""Speaking to the database quickly where it matters, without leaving Django's models."""
