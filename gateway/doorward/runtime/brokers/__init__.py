"""The broker that a gateway uses: inside its process, or somebody else's; who is let in, and what it shows."""
