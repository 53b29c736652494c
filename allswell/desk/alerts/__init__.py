"""What monitoring tells the desk: kept word for word, read by the engine, folded into alerts, and acted on."""
