"""Who administers the broker attacks: a real board and the real use cases, and the wire between them is not theirs."""
