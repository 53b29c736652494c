"""Mail as it arrives, understood. Nothing here raises on any bytes, except TooMuch; everything is linear in the size of the mail."""
