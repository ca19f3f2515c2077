"""What the broker counts, logs, and tells whoever runs it."""
