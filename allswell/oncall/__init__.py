"""The watch: who is on call when, how it turns, and who stands in for whom."""
