"""How far each board's log is held, and what continues it. Decided in memory: the store is read once, at start."""

from doorward.app.ports import LogStore
from doorward.app.records import LogEntry, LogHead
from doorward.errors import Rejected
from doorward_core import gateway_messages, seal


class Heads:
    """The newest entry of each log: taken (it may be on its way to the store), on record, and of logs that are over."""

    def __init__(self, store: LogStore) -> None:
        self._taken = store.heads()
        self._stored = dict(self._taken)
        self._epochs = store.epochs()

    def taken(self, device_id: str) -> LogHead | None:
        """What the next entry has to continue."""
        return self._taken.get(device_id)

    def stored(self, device_id: str) -> LogHead | None:
        """How far a board's log is on record."""
        return self._stored.get(device_id)

    def held(self, device_id: str, epoch: str) -> LogHead | None:
        """How far this log of the board is on record; None for one that nobody knows."""
        return self._epochs.get(device_id, {}).get(epoch)

    def is_over(self, device_id: str, epoch: str) -> bool:
        """Whether the board has begun another log since."""
        newest = self._stored.get(device_id)
        known = self.held(device_id, epoch) is not None
        return known and newest is not None and newest.epoch != epoch

    def is_past(self, device_id: str, epoch: str, seq: int) -> bool:
        """Whether this place is behind us. A log that is over never becomes the newest again."""
        head = self._taken.get(device_id)
        if head is None:
            return False
        if epoch == head.epoch:
            return seq <= head.seq
        return self.held(device_id, epoch) is not None

    def is_stored(self, device_id: str, epoch: str, seq: int) -> bool:
        """Whether this place of the board's present log is on record."""
        newest = self._stored.get(device_id)
        return newest is not None and newest.epoch == epoch and seq <= newest.seq

    def take(self, kept: LogEntry) -> None:
        """What comes next continues this one."""
        self._taken[kept.device] = LogHead(kept.epoch, kept.seq, kept.digest)

    def keep(self, kept: LogEntry) -> LogHead:
        """This one is on record."""
        held = LogHead(kept.epoch, kept.seq, kept.digest)
        self._stored[kept.device] = self._epochs.setdefault(kept.device, {})[kept.epoch] = held
        return held

    def back(self, kept: LogEntry) -> None:
        """This one did not get on record: nor does what was to follow it."""
        head = self._taken.get(kept.device)
        if head is not None and head.epoch == kept.epoch and head.seq < kept.seq:
            return
        self._taken.pop(kept.device, None)
        if kept.device in self._stored:
            self._taken[kept.device] = self._stored[kept.device]


def continues(stored: LogHead | None, kept: LogEntry) -> bool:
    """Whether an entry is the next one of what is on record, or says what became of those between."""
    gone = gateway_messages.lost(kept.body)
    first = kept.seq if gone is None else gone[0]
    return first <= seq_in(stored, kept.epoch) + 1 <= kept.seq


def digest_after(head: LogHead | None, epoch: str, seq: int, body: bytes) -> bytes:
    """The log's digest after an entry, if it continues what is held. Raises Rejected for a gap.

    Of what the board had to drop nothing is left but what `lost` says of it, under the board's seal.
    """
    same = head is not None and head.epoch == epoch
    held = seq_in(head, epoch)
    gone = gateway_messages.lost(body)
    if gone is not None and gone[0] <= held + 1:
        return gone[2]
    if seq != held + 1 or gone is not None:
        if same:
            raise Rejected("an event after a gap")
        raise Rejected("a log that does not start at its first event")
    return seal.chain(
        head.digest if head is not None and same else seal.CHAIN_START, epoch, seq, body
    )


def seq_in(head: LogHead | None, epoch: str) -> int:
    """How far a log of this epoch is held: 0 where it is another one."""
    return head.seq if head is not None and head.epoch == epoch else 0
