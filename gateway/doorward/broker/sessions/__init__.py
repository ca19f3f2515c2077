"""What one client still has to receive, in order, whatever becomes of its connections."""
