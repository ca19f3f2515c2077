"""Lamps and motion sensors: what they report, and lamps set from afar."""
