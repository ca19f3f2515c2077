"""When something is safe: collected, committed in groups, and who is told after that."""
