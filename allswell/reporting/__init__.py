"""What the desk did, in numbers: service levels kept, times, teams, waiting. Every number says how it was counted and opens its rows."""
