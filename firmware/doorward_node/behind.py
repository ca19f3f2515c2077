# A log that is behind what the gateway holds of it, while it catches up: journal.py loads this then.
#
# The flash has lost its newest entries (cells that went bad, an older copy that somebody put back), and
# what was written since has numbers that the gateway knows with another content. The log goes on
# above both; what this board has noted since it started, and whatever has a number that the gateway
# does not know, is written once more up there. The rest is `lost`, and said to be for this reason.
#
# So it is with a log that is over: the board had begun another, and got an older copy back. It goes on
# under a new epoch, in which all up to there is lost.

import binascii

from doorward_core.compat import const, urandom
from doorward_core.messages import decode, number

# Entries in one turn of the background's loop: each is a stall.
_AT_ONCE = const(2)


class Copy:
    # held: how far the gateway is. began: the newest entry when this board started. over: that log is.
    def __init__(self, store, held: int, began: int, over: bool) -> None:  # type: ignore[no-untyped-def]
        self._store = store
        self._next = max(min(began, held), store.settled[0]) + 1
        self._end = store.seq
        first = min(self._next, held + 1, abs(store.lost) or self._next)
        epoch = store.epoch
        if over:
            first = 1
            epoch = binascii.hexlify(urandom(4)).decode()
        store.overtake(max(held, self._end) + 1, first, epoch)

    def turn(self, write) -> bool:  # type: ignore[no-untyped-def]
        # write(event) gets the next ones, as they were but for their number. False when there are no more.
        for _ in range(_AT_ONCE):
            if self._next > self._end:
                return False
            event = self._read()
            if event:
                write(event)
        return True

    def _read(self):  # type: ignore[no-untyped-def]
        # The next event, if it can be read. Where the oldest had to make room meanwhile it is a later one.
        body = self._store.body(self._next)
        self._next += 1
        try:
            event = decode(body or b"")
            seq = number(event, "seq")
        except ValueError:
            return None
        self._next = max(self._next, seq + 1)
        return event if seq <= self._end else None
