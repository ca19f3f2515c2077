"""Bytes to packets and back, quicker than the shared codec for what comes again and again."""
