"""What other programs send, understood: pure functions from bytes to facts, without a database, a clock or the network."""
