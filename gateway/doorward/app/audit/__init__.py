"""The audit as a whole: read, checked, exported, and an export checked."""
