"""Likely teams, duplicates and known errors, learned from an organization's own history."""
