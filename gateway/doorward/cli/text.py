"""Output for people: aligned columns, and no character that could steer a terminal.

Names come from whoever may edit people and from boards; an escape sequence in one must never rewrite what an operator
reads on the screen or in a log.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

# Joiners are part of how some names are written, and move nothing on the screen.
_JOINERS = "\u200c\u200d"
_STEERING = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_GAP = "  "


def clean(text: str) -> str:
    r"""`text` with every control, bidirectional and private character written out, as \x1b or \u202e."""
    return "".join(_escape(char) if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in _STEERING and char not in _JOINERS


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def width(text: str) -> int:
    """How many terminal cells `text` takes."""
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or char in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under their heads, in columns as wide as they must be; an absent value is a dash."""
    cells = [list(heads)]
    cells += [[clean("-" if value is None else str(value)) for value in row] for row in rows]
    widths = [max(width(row[i]) for row in cells) for i in range(len(heads))]
    lines = []
    for row in cells:
        padded = (cell + " " * (widths[i] - width(cell)) for i, cell in enumerate(row))
        lines.append(_GAP.join(padded).rstrip())
    return "\n".join(lines)


def card_text(tail: str) -> str:
    """A card or a code as lists have it: `…A1B2`, or the word alone."""
    return tail if tail == "code" else f"…{tail}"


def local_time(stamp: str | None) -> str | None:
    """An ISO 8601 instant in this machine's own time zone, to the second."""
    if stamp is None:
        return None
    instant = datetime.fromisoformat(stamp)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S")
