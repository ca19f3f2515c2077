"""Access control: people and their cards, the rules in force, the doors, taps, releases, and why."""
