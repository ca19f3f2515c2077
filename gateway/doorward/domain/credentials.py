"""What people present at a reader, and how its number is read and shown."""

from dataclasses import dataclass

from doorward.errors import InvalidInput
from doorward_core import codes
from doorward_core.access import STRENGTH_UID

# ISO 14443-3: single, double and triple size UIDs.
UID_SIZES = (4, 7, 10)
_TAIL_BYTES = 2
# What boards, too, call what was typed.
CODE = "code"


@dataclass(frozen=True, slots=True)
class Credential:
    """A card by its UID. A UID can be cloned, which is what strength says."""

    id: int
    uid: bytes
    person: int
    revoked: bool = False
    strength: int = STRENGTH_UID
    added_ms: int = 0


def parse_uid(text: str, field: str = "uid") -> bytes:
    """Read a UID as people write it (`04:A1:B2:C3`, `04a1b2c3`). Raises InvalidInput naming `field`."""
    plain = "".join(character for character in text if character not in " :-")
    try:
        uid = bytes.fromhex(plain)
    except ValueError:
        uid = b""
    if len(uid) not in UID_SIZES:
        raise InvalidInput(
            "that is no card number",
            "give 4, 7 or 10 bytes as hex digits, like 04A1B2C3",
            field=field,
        )
    return uid


def kind(uid: bytes) -> str:
    """What people call it: a card, or a code."""
    return CODE if codes.is_code(uid) else "card"


def tail(uid: bytes) -> str:
    """The last four digits: all of a UID that may be shown, logged or stored in the clear. Of a code, nothing."""
    if codes.is_code(uid):
        return CODE
    return uid[-_TAIL_BYTES:].hex().upper()
