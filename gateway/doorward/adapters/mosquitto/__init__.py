"""Debian's Mosquitto as the broker of a site: its configuration, its process, and who may do what on it."""
