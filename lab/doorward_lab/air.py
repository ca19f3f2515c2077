"""What a board's Wi-Fi finds in the air."""

from enum import Enum


class Air(Enum):
    """What comes of a station's attempt to connect: the number that its status() gives (MicroPython, network.WLAN)."""

    GOOD = 1010
    NO_ACCESS_POINT = 201
    WRONG_PASSWORD = 202
    REFUSED = 203
    NO_HANDSHAKE = 204
    DEAF = (
        0  # one that connects nobody and answers nobody; who is connected stays so, and is not told
    )
