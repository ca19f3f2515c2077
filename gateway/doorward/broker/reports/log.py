"""The broker's log: who came and went, what was published, asked for and refused. No payload is ever in it.

The newest lines are in memory, under numbers that rise (by one, while the broker runs); the broker keeps them on disk a
little later. Of what one client does very often some lines are written and the rest is counted, so that nobody can fill
the log or slow it down.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from doorward.broker.ports import Entry, LogQuery

CONNECT: Final = "CONNECT"
DISCONNECT: Final = "DISCONNECT"
PUBLISH: Final = "PUBLISH"
SUBSCRIBE: Final = "SUBSCRIBE"
UNSUBSCRIBE: Final = "UNSUBSCRIBE"
DENIED: Final = "DENIED"  # asked for what no rule allows, or one forbids
REFUSED: Final = "REFUSED"  # did not come in
CHANGED: Final = "CHANGED"  # users and rules, by whoever administers them
ACTIONS = (CONNECT, DISCONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, DENIED, REFUSED, CHANGED)

_AT_HAND = 1000
_EACH_A_TURN = 8  # lines of one kind from one principal
_ALL_A_TURN = 100
# Lines between two visits to the disk, with room to spare; while it refuses, the newest.
_MOST_UNKEPT = 2000
_SHOWN = 200  # characters of whatever somebody else chose


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class BrokerLog:
    """The newest lines in a ring; `listeners` hear of each one, `turn` has to be called twice a second or so."""

    def __init__(self, now_ms: Callable[[], int] = _now_ms) -> None:
        """Start empty at number 1; `now_ms` is the time of day since 1970, UTC."""
        self._now_ms = now_ms
        self.entries: deque[Entry] = deque(maxlen=_AT_HAND)
        self.number = 0  # of the newest line
        self.listeners: list[Callable[[Entry], None]] = []
        self._unkept: deque[Entry] = deque(maxlen=_MOST_UNKEPT)
        self._left: dict[tuple[str, str], int] = {}  # below zero: how many were only counted
        self._all_left = _ALL_A_TURN

    def restore(self, kept: Iterable[Entry]) -> None:
        """Go on behind what the store remembers."""
        self.entries.extend(kept)
        if self.entries:
            # A crash may have taken lines along that were not on disk yet: no number is ever used for another line.
            self.number = self.entries[-1].number + _MOST_UNKEPT

    def note(
        self,
        action: str,
        principal: str,
        client: str = "",
        topic: str = "",
        qos: int | None = None,
        size: int | None = None,
        detail: str = "",
    ) -> None:
        """Write a line, unless there were many of its kind just now: then it is counted."""
        key = (action, principal)
        left = self._left.get(key, _EACH_A_TURN)
        if left > 0 and self._all_left > 0:
            self._left[key] = left - 1
            self._all_left -= 1
            self.note_always(action, principal, client, topic, qos=qos, size=size, detail=detail)
        else:
            self._left[key] = left - 1 if left < 0 else -1

    def note_always(
        self,
        action: str,
        principal: str,
        client: str = "",
        topic: str = "",
        *,
        qos: int | None = None,
        size: int | None = None,
        detail: str = "",
        more: int = 0,
    ) -> None:
        """Write a line whatever else was written."""
        self.number += 1
        entry = Entry(
            self.number,
            self._now_ms(),
            action,
            principal,
            client[:_SHOWN],
            topic[:_SHOWN],
            qos,
            size,
            detail[:_SHOWN],
            more,
        )
        self.entries.append(entry)
        self._unkept.append(entry)
        for listener in self.listeners:
            listener(entry)

    def turn(self) -> None:
        """Say in one line each what was only counted, and count anew."""
        left, self._left = self._left, {}
        self._all_left = _ALL_A_TURN
        for (action, principal), count in left.items():
            if count < 0:
                self.note_always(action, principal, more=-count)

    def take(self) -> list[Entry]:
        """The lines that are on no disk yet; they are the caller's to keep now."""
        taken = list(self._unkept)
        self._unkept.clear()
        return taken

    def find(self, query: LogQuery) -> list[Entry]:
        """Lines at hand, newest first."""
        return list(islice(filter(query.takes, reversed(self.entries)), query.limit))
