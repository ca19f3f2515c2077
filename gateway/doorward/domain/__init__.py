"""The rules of the house, pure: people, credentials, doors, access levels, schedules, and what follows from them."""
