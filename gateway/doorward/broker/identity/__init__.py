"""Who somebody is: boards by their secret or certificate, users by name and password."""
