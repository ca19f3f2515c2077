"""Boards that the lab's tests run."""

from typing import Any

STRIKE, CONTACT = 25, 32


def profile(identity: str = "front") -> dict[str, Any]:
    """The config.json of a door, as far as the lab reads it."""
    reader = {"spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 21, "rst": 22}
    return {
        "id": identity,
        "pins": {
            "strike": {"pin": STRIKE, "active": 1},
            "contact": {"pin": CONTACT, "closed": 0},
            "reader": reader,
        },
    }
