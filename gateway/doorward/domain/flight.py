"""What a board's flight recorder says: its codes in words (firmware/doorward_node/flight.py has the other half)."""

import struct
from collections.abc import Callable
from errno import errorcode

from doorward_core import topic_tree

_NOTE = struct.Struct("<BBHH")
_TICK_MS = 64
# Mbed TLS and the port have numbers of their own, and texts come as the sum of their letters.
_SIGNED = 1 << 15

_STARTS = {1: "power", 2: "reset", 3: "watchdog", 4: "deep sleep", 5: "soft reset"}
_EVENTS = (
    "access.decision",
    "boot",
    "door.closed",
    "door.forced",
    "door.held",
    "door.open",
    "door.rex",
    "flight",
    "lock.changed",
    "lockout.cleared",
    "lockout.entered",
    "lost",
    "motion",
    "reader.reset",
    "rejected",
    "tamper",
)


def _by_sum(*texts: str) -> Callable[[int], str]:
    known = {sum(text.encode()) & 0xFFFF: text for text in texts}
    return lambda value: known.get(value, f"#{value}")


def _error(value: int) -> str:
    return errorcode.get(value, f"#{value - 2 * _SIGNED if value >= _SIGNED else value}")


_WORDS: dict[int, tuple[str, Callable[[int], str] | None]] = {
    1: ("started:", lambda value: _STARTS.get(value, str(value))),
    2: ("failed", None),
    4: ("stalled for ms:", str),
    5: ("Wi-Fi", str),
    6: ("link down:", _error),
    7: ("link up", None),
    8: ("reader lost", None),
    10: ("took", _by_sum(*topic_tree.DOWN)),
    11: ("collected, KiB free:", str),
    16: ("log", _by_sum(*_EVENTS)),
}


def lines(notes: bytes) -> list[str]:
    """One line a note, as "0:01:23.4 link down: ECONNRESET". The time is the board's, since it started.

    Notes of firmware that is newer than this gateway come as numbers; half a note at the end is left out.
    """
    whole = len(notes) - len(notes) % _NOTE.size
    return [_line(*note) for note in _NOTE.iter_unpack(notes[:whole])]


def _line(code: int, high: int, low: int, value: int) -> str:
    tenths = (high << 16 | low) * _TICK_MS // 100
    minutes, tenths = divmod(tenths, 600)
    at = f"{minutes // 60}:{minutes % 60:02}:{tenths // 10:02}.{tenths % 10}"
    words, tell = _WORDS.get(code, (f"code {code}:", str))
    return f"{at} {words} {tell(value)}" if tell else f"{at} {words}"
