"""Mail that comes in: kept word for word first, read apart, then taken to the ticket where it belongs."""
