"""The pages of being on call."""
