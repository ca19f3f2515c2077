"""From a publish to the sessions that get it; what is retained, and how much of all that clients may leave."""
