"""When work is done: weekly hours, holidays and exceptions in a time zone, in versions that never change."""
