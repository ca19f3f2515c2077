# A code that somebody types, in the place of a card's UID.

from binascii import unhexlify

from doorward_core.compat import const

# How many digits a code has.
SHORTEST = const(4)
LONGEST = const(8)


def credential(digits: str) -> bytes:
    # 8 bytes: no card has as many, so a code is never taken for a UID.
    return b"P" + unhexlify((digits + "ffffffff")[:LONGEST]) + b"\0\0\0"


def is_code(credential: bytes) -> bool:
    # Whether this was typed, and not read from a card.
    return len(credential) == 8 and credential[:1] == b"P" and credential[5:] == b"\0\0\0"
