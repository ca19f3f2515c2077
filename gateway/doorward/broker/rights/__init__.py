"""Who may publish and read what: the rules, what follows from them, and how they are changed."""
