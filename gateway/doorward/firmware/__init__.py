"""What a board runs: the manifest of a firmware, and where it comes from."""
