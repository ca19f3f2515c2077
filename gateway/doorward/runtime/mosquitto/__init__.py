"""Debian's Mosquitto as the broker of a gateway."""
