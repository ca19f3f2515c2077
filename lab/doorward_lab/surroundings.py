"""The world around a board: cards before its reader, levels on its inputs, a fault in a part.

The world outlives a reset, so every command is remembered until the next one replaces it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from doorward_lab.errors import SiteError

_UID_SIZES = (4, 7, 10)
# The last SELECT's answer of the usual cards: MIFARE Classic 1K, NTAG / Ultralight, DESFire (NXP AN10833).
_SAK = {4: 0x08, 7: 0x00, 10: 0x20}


class Fault(Enum):
    """What can be wrong with a reader."""

    NONE = "ok"
    DEAD = "dead"  # nothing answers on SPI
    FROZEN = "frozen"  # registers answer, commands do nothing, until the chip is reset
    BROWN_OUT = "brownout"  # registers as after power-up: the antenna is off and nobody was told


def uid_bytes(uid: bytes | str) -> bytes:
    """Return a UID of 4, 7 or 10 bytes from bytes or hex digits. Raises SiteError for anything else."""
    try:
        octets = bytes.fromhex(uid) if isinstance(uid, str) else bytes(uid)
    except ValueError:
        raise SiteError("uid is not hex digits; give 8, 14 or 20 of them") from None
    if len(octets) not in _UID_SIZES:
        raise SiteError(f"uid has {len(octets)} bytes; a card has 4, 7 or 10")
    return octets


class Surroundings:
    """Makes the lines that tell a board of its world; the caller sends them."""

    def __init__(self, pins: Mapping[str, Any]) -> None:
        """pins: the wiring from config.json."""
        self._contact: Mapping[str, Any] | None = pins.get("contact")
        self._inputs: dict[int, int] = {}
        self._cards: list[str] = []
        self._fault = Fault.NONE

    @property
    def card_present(self) -> bool:
        """Whether a card is in the field."""
        return bool(self._cards)

    @property
    def contact_open(self) -> bool | None:
        """Whether the door stands open; None without a contact."""
        if self._contact is None:
            return None
        closed: int = self._contact["closed"]
        return self._inputs.get(self._contact["pin"], closed) != closed

    def card(self, uid: bytes | str, sak: int | None = None, bcc_xor: int = 0) -> str:
        """Put one more card into the field. bcc_xor: not zero spoils its UID check bytes."""
        octets = uid_bytes(uid)
        sak = _SAK[len(octets)] if sak is None else sak
        line = f"card {octets.hex()} {sak} {bcc_xor}"
        self._cards.append(line)
        return line

    def no_card(self) -> str:
        """Empty the field."""
        self._cards.clear()
        return "nocard"

    def pin(self, number: int, level: int) -> str:
        """Put a level on an input."""
        self._inputs[number] = int(bool(level))
        return f"pin {number} {self._inputs[number]}"

    def contact(self, is_open: bool) -> str:
        """Open or close the door. Raises SiteError when the board has no contact."""
        if self._contact is None:
            raise SiteError("this board has no door contact; give it pins.contact in its profile")
        return self.pin(self._contact["pin"], self._contact["closed"] ^ int(is_open))

    def fault(self, fault: Fault) -> str:
        """Break or repair the reader. A brown-out happens once, the others last until NONE."""
        self._fault = Fault.NONE if fault is Fault.BROWN_OUT else fault
        return f"reader {fault.value}"

    def lines(self) -> list[str]:
        """Return all that a board has to hear after power-on."""
        lines = [f"pin {number} {level}" for number, level in self._inputs.items()] + self._cards
        # Only a dead cable outlives the power cycle that the reader gets with its board.
        return [*lines, f"reader {self._fault.value}"] if self._fault is Fault.DEAD else lines
