"""Looks for card numbers in bytes, however they may be written."""

from base64 import b64encode
from collections.abc import Iterable


def spellings(uid: bytes) -> dict[str, bytes]:
    """Every way in which a UID is commonly written."""
    found = {}
    for order, value in (("", uid), (" reversed", uid[::-1])):
        found["binary" + order] = value
        found["hex" + order] = value.hex().encode()
        found["HEX" + order] = value.hex().upper().encode()
        found["hex with colons" + order] = value.hex(":").encode()
        found["HEX with colons" + order] = value.hex(":").upper().encode()
        found["decimal" + order] = str(int.from_bytes(value, "big")).encode()
        found["base64" + order] = b64encode(value).rstrip(b"=")
    return found


def spellings_found(content: bytes, uids: Iterable[bytes]) -> list[str]:
    """Which of these card numbers can be read in `content`, and how they are written there."""
    return [
        f"{uid.hex()} as {name}"
        for uid in uids
        for name, spelling in spellings(uid).items()
        if spelling in content
    ]
