"""The back end for PostgreSQL."""
