"""The reader of a virtual board as its surroundings move it: lines to the chip, or the chip itself.

Every method returns the lines that the board has to hear.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol

from doorward_lab.errors import SiteError
from doorward_lab.pn532 import Pn532

_UID_SIZES = (4, 7, 10)
# The last SELECT's answer of the usual cards: MIFARE Classic 1K, NTAG / Ultralight, DESFire (NXP AN10833).
_SAK = {4: 0x08, 7: 0x00, 10: 0x20}
_WIEGAND_KEYS = "0123456789*#"


class Fault(Enum):
    """What can be wrong with a reader."""

    NONE = "ok"
    DEAD = "dead"  # nothing answers on its bus
    FROZEN = "frozen"  # it is there and does nothing, until the chip is reset
    BROWN_OUT = "brownout"  # as after power-up, and nobody was told
    NOISE = "noise"  # PN532: the next frame is spoilt on its way
    ANTENNA = "antenna"  # PN532: its coil is cut


class Reader(Protocol):
    """One reader."""

    @property
    def card_present(self) -> bool:
        """Whether a card is before it."""

    def card(self, uid: bytes, sak: int | None, bcc_xor: int) -> list[str]:
        """Put one more card into the field. bcc_xor: not zero spoils its UID check bytes."""

    def no_card(self) -> list[str]:
        """Empty the field."""

    def key(self, key: str) -> list[str]:
        """Press a key of the reader's own. Raises SiteError when it has none."""

    def fault(self, fault: Fault) -> list[str]:
        """Break or repair it. A brown-out and noise happen once, the others last until NONE. Raises SiteError."""

    def heard(self, words: list[str]) -> list[str]:
        """Answer what the board has sent to the chip."""

    def lines(self) -> list[str]:
        """Return what the board has to hear after power-on."""


def reader(wiring: Mapping[str, Any] | None) -> Reader:
    """Return the reader that `pins.reader` of a config.json names."""
    wiring = wiring or {}
    driver = wiring.get("driver", "mfrc522")
    if driver == "pn532":
        return FrameReader()
    if driver == "wiegand":
        return WiegandReader(wiring.get("bits", 34))
    return RegisterReader()


def uid_bytes(uid: bytes | str) -> bytes:
    """Return a UID of 4, 7 or 10 bytes from bytes or hex digits. Raises SiteError for anything else."""
    try:
        octets = bytes.fromhex(uid) if isinstance(uid, str) else bytes(uid)
    except ValueError:
        raise SiteError("uid is not hex digits; give 8, 14 or 20 of them") from None
    if len(octets) not in _UID_SIZES:
        raise SiteError(f"uid has {len(octets)} bytes; a card has 4, 7 or 10")
    return octets


class RegisterReader:
    """An MFRC522: its registers live in the board's process, here is only what lies before it."""

    def __init__(self) -> None:
        """Nothing lies before it."""
        self._cards: list[str] = []
        self._fault = Fault.NONE

    @property
    def card_present(self) -> bool:
        return bool(self._cards)

    def card(self, uid: bytes, sak: int | None, bcc_xor: int) -> list[str]:
        sak = _SAK[len(uid)] if sak is None else sak
        self._cards.append(f"card {uid.hex()} {sak} {bcc_xor}")
        return self._cards[-1:]

    def no_card(self) -> list[str]:
        self._cards.clear()
        return ["nocard"]

    def key(self, key: str) -> list[str]:
        raise _no_keys()

    def fault(self, fault: Fault) -> list[str]:
        if fault is Fault.NOISE:
            raise SiteError("noise spoils frames, and an MFRC522 has none; give another fault")
        if fault is Fault.ANTENNA:
            raise SiteError("an MFRC522 does not notice its antenna; give another fault")
        self._fault = Fault.NONE if fault is Fault.BROWN_OUT else fault
        return [f"reader {fault.value}"]

    def heard(self, words: list[str]) -> list[str]:
        return []

    def lines(self) -> list[str]:
        # Only a dead cable outlives the power cycle that the reader gets with its board.
        dead = [f"reader {Fault.DEAD.value}"] if self._fault is Fault.DEAD else []
        return [*self._cards, *dead]


class FrameReader:
    """A PN532, which answers from here."""

    def __init__(self) -> None:
        """Nothing lies before it."""
        self._ready: list[str] = []
        self._chip = Pn532(self._send)
        self._present = 0
        self._dead = False

    def _send(self, frame: bytes, fresh: bool) -> None:
        self._ready.append(f"pn532 {frame.hex()} {int(fresh)}")

    def _lines(self) -> list[str]:
        lines = list(self._ready)
        self._ready.clear()
        return lines

    @property
    def card_present(self) -> bool:
        return self._present > 0

    def card(self, uid: bytes, sak: int | None, bcc_xor: int) -> list[str]:
        if not bcc_xor:  # the chip keeps a card that cannot be read to itself
            self._chip.card(uid, _SAK[len(uid)] if sak is None else sak)
        self._present += 1
        return self._lines()

    def no_card(self) -> list[str]:
        self._present = 0
        self._chip.no_card()
        return []

    def key(self, key: str) -> list[str]:
        raise _no_keys()

    def fault(self, fault: Fault) -> list[str]:
        self._chip.fault(fault.value)
        if fault in (Fault.NOISE, Fault.ANTENNA):
            return []
        if fault is Fault.BROWN_OUT:
            return ["pn532 drop"]
        self._dead = fault is Fault.DEAD
        return [f"reader {fault.value}"]

    def heard(self, words: list[str]) -> list[str]:
        if words[1] == "reset":
            self._chip.power_on()
        else:
            self._chip.take(bytes.fromhex(words[1]))
        return self._lines()

    def lines(self) -> list[str]:
        self._chip.power_on()
        return [f"reader {Fault.DEAD.value}"] if self._dead else []


class WiegandReader:
    """A reader, with keys, that tells its board bits. It reads a card once, when it comes."""

    def __init__(self, bits: int) -> None:
        """bits: 26 or 34, of a card's frame."""
        self._bits = bits
        self._present = False

    @property
    def card_present(self) -> bool:
        return self._present

    def card(self, uid: bytes, sak: int | None, bcc_xor: int) -> list[str]:
        self._present = True
        # There is room for three or four bytes; of longer UIDs most readers tell the first ones.
        size = (self._bits - 2) // 8
        frame = wiegand_frame(uid[:size])
        return ["wiegand " + (_flipped(frame) if bcc_xor else frame)]

    def no_card(self) -> list[str]:
        self._present = False
        return []

    def key(self, key: str) -> list[str]:
        if len(key) != 1 or key not in _WIEGAND_KEYS:
            raise SiteError(f"there is no key {key!r}; the keys are {_WIEGAND_KEYS}")
        return [f"wiegand {_WIEGAND_KEYS.index(key):04b}"]

    def fault(self, fault: Fault) -> list[str]:
        raise SiteError("a Wiegand reader cannot be broken here; its lines tell nobody")

    def heard(self, words: list[str]) -> list[str]:
        return []

    def lines(self) -> list[str]:
        return []


def wiegand_frame(number: bytes) -> str:
    """Return the bits of a card with even parity over the first half and odd over the second (SIA AC-01)."""
    inner = "".join(f"{octet:08b}" for octet in number)
    half = len(inner) // 2
    even = inner[:half].count("1") % 2
    odd = 1 - inner[half:].count("1") % 2
    return f"{even}{inner}{odd}"


def _flipped(frame: str) -> str:
    return frame[:-1] + ("0" if frame[-1] == "1" else "1")


def _no_keys() -> SiteError:
    return SiteError("this board has no keys; give it pins.keypad, or a Wiegand reader")
