"""The boards' logs: each entry verified against all before it, stored byte for byte, acked after the commit."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.board_logs.rows import NEW_LOG, EventRows
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import AuditStore, Clock, LogStore, Message, Recorded, Spawn
from doorward.app.records import LogEntry, LogHead
from doorward.app.signer_ports import Signer
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds
from doorward.errors import Conflict, Rejected, Unavailable
from doorward_core import gateway_messages, seal, topics
from doorward_core.gateway_messages import Event, Hello
from doorward_core.messages import MessageError
from doorward_core.seal import SealError

_log = structlog.get_logger(__name__)

Happened = Callable[[str, Event], None]


class Store(LogStore, AuditStore, Protocol):
    """Where logs are kept, and what is odd about them."""


class EventLog:
    """Takes `telemetry/events`. `happened` hears of every new entry after its commit.

    restored_ms: when the database was last replaced by a backup's, None if it never was.
    """

    def __init__(
        self,
        fleet: Fleet,
        signer: Signer,
        store: Store,
        rows: EventRows,
        announcer: Announcer,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._fleet = fleet
        self._signer = signer
        self._store = store
        self._rows = rows
        self._announcer = announcer
        self._clock = clock
        self._spawn = spawn
        self.restored_ms: int | None = None
        self._gaps = store.gaps()
        self._heads = store.heads()
        self._stored = dict(self._heads)
        self._epochs = store.epochs()
        self._ahead: dict[str, LogEntry] = {}
        self._contradictions: set[tuple[str, str]] = set()
        self.happened: list[Happened] = []

    def event(self, device: Device, message: Message) -> None:
        """Take one entry. Raises Rejected or SealError for what does not continue the log."""
        sealed = seal.split(message.payload)
        kind, epoch, seq = seal.parse_freshness(sealed.freshness)
        if kind != "e" or not isinstance(epoch, str):
            raise Rejected("an event without its place in the log")
        head = self._heads.get(device.id)
        if head is not None and self._is_past(device.id, head, epoch, seq):
            self._spawn(self._again(device, message, epoch, seq))
            return
        self._go_on_beyond(device, message, epoch, seq)
        head = self._heads.get(device.id)
        digest = _digest_after(head, epoch, seq, sealed.body)
        self._signer.verify(device.id, topics.EVENTS, message.payload, digest)
        now_ms = milliseconds(self._clock.now())
        kept = LogEntry(device.id, epoch, seq, sealed.body, digest, now_ms)
        event, rows = self._read(kept)
        if head is not None and epoch != head.epoch:
            rows = self._rows.of_new_log(kept, rows)
        self._keep(kept, rows, self._committed(device, message, kept, event))

    def hello(self, device: Device, said: Hello) -> None:
        """A board says behind which entry it goes on, and hears what we hold: it may be behind that, or beyond.

        Only acknowledgements of ours move that place, and what the board had to drop; that it tells. So beyond it is
        after a restore: go on there. Without one, somebody has put an older database in place: that is told when the
        board has said what comes next.
        """
        seq, digest = said.log_stored
        head = self._heads.get(device.id)
        same = head is not None and head.epoch == said.log_epoch
        held = head.seq if head is not None and same else 0
        over = not same and said.log_epoch in self._epochs.get(device.id, ())
        told = 0 < said.log_lost <= held + 1
        now_ms = milliseconds(self._clock.now())
        gap = LogEntry(device.id, said.log_epoch, seq, b"", digest, now_ms)
        self._ahead.pop(device.id, None)
        if seq <= held or over or told:
            self._tell_held(device, said.log_epoch)
            return
        if self.restored_ms is None:
            self._ahead[device.id] = gap
            self._tell_held(device, said.log_epoch)
            return
        rows = [self._rows.gap(device.id, held + 1, seq, now_ms)]
        if self._gaps.get(device.id, 0) >= self.restored_ms:
            rows.append(self._rows.tamper(device.id, "a second gap, and one restore", now_ms))
        elif head is not None and not same:
            rows.append(self._rows.tamper(device.id, NEW_LOG, now_ms))
        self._keep_gap(gap, rows)

    def _keep_gap(self, gap: LogEntry, rows: list[AuditRow]) -> None:
        self._gaps[gap.device] = gap.received_ms
        self._heads[gap.device] = LogHead(gap.epoch, gap.seq, gap.digest)
        try:
            self._store.store_gap(gap, rows, self._gap_committed(gap))
        except Unavailable as error:
            self._gap_committed(gap)(None, error)

    def _go_on_beyond(self, device: Device, message: Message, epoch: str, seq: int) -> None:
        """Go on where the board said that it would, if this entry does: it had told us what comes before it."""
        gap = self._ahead.get(device.id)
        if gap is None or (epoch, seq) != (gap.epoch, gap.seq + 1):
            return
        body = seal.split(message.payload).body
        if gateway_messages.lost(body) is not None:
            return
        digest = seal.chain(gap.digest, epoch, seq, body)
        self._signer.verify(device.id, topics.EVENTS, message.payload, digest)
        del self._ahead[device.id]
        head = self._heads.get(device.id)
        first = head.seq + 1 if head is not None and head.epoch == epoch else 1
        now_ms = milliseconds(self._clock.now())
        self._keep_gap(gap, [self._rows.forgotten(device.id, first, gap.seq, now_ms)])

    def _gap_committed(self, gap: LogEntry) -> Recorded:
        def done(rows: list[AuditRow] | None, error: Exception | None) -> None:
            if error is not None:
                # The retained hello comes again with the next connection, and the board's events after it.
                _log.error("log.gap_failed", device=gap.device, error=type(error).__name__)
                self._gaps.pop(gap.device, None)
                self._back(gap)
                self._fleet.start_over()
                return
            self._holds(gap)
            self._announcer.announce(rows)
            device = self._fleet.find(gap.device)
            if device is not None:
                self._tell_held(device, gap.epoch)

        return done

    def _tell_held(self, device: Device, epoch: str) -> None:
        """Say what is stored of this log, and what we take for its digest there: a board's flash may say otherwise."""
        held = self._epochs.get(device.id, {}).get(epoch, LogHead(epoch, 0, seal.CHAIN_START))
        with suppress(
            Unavailable
        ):  # it asks again with its next hello, and does without after a while
            self._acknowledge(device, held)

    def _holds(self, kept: LogEntry) -> LogHead:
        """What is on record from now on."""
        held = LogHead(kept.epoch, kept.seq, kept.digest)
        self._stored[kept.device] = self._epochs.setdefault(kept.device, {})[kept.epoch] = held
        return held

    def _is_past(self, device_id: str, head: LogHead, epoch: str, seq: int) -> bool:
        """Whether this place is behind us. A log that is over never becomes the newest again."""
        if epoch == head.epoch:
            return seq <= head.seq
        return epoch in self._epochs.get(device_id, ())

    def _keep(self, kept: LogEntry, rows: list[AuditRow], done: Recorded) -> None:
        """Hand an entry to the store; what comes after it continues it from now on."""
        self._heads[kept.device] = LogHead(kept.epoch, kept.seq, kept.digest)
        try:
            self._store.store_event(kept, rows, done)
        except Unavailable as error:
            done(None, error)

    def head(self, device_id: str) -> LogHead | None:
        """How far a board's log is on record."""
        return self._stored.get(device_id)

    def _read(self, kept: LogEntry) -> tuple[Event | None, list[AuditRow]]:
        """What an authentic entry says. One that cannot be read is kept all the same: it would block all after it."""
        try:
            event = gateway_messages.parse_event(kept.body)
            if event.device != kept.device or event.seq != kept.seq:
                raise MessageError("seq", "the place that the seal names")
            return event, self._rows.of(kept.device, event, kept.received_ms)
        except MessageError as error:
            return None, [self._rows.unreadable(kept.device, str(error), kept.received_ms)]

    def _committed(
        self, device: Device, message: Message, kept: LogEntry, event: Event | None
    ) -> Recorded:
        def done(rows: list[AuditRow] | None, error: Exception | None) -> None:
            if error is None and not _continues(self._stored.get(device.id), kept):
                error = Conflict("an event whose predecessor is not stored")
            if error is not None:
                self._failed(device, message, kept, event, error)
                return
            held = self._holds(kept)
            try:
                self._acknowledge(device, held)
                message.ack()
            except Unavailable:
                # It is on record. It comes again, and the board hears so then.
                self._fleet.start_over()
            self._announcer.announce(rows)
            if event is not None:
                for happened in self.happened:
                    happened(device.id, event)

        return done

    def _failed(
        self,
        device: Device,
        message: Message,
        kept: LogEntry,
        event: Event | None,
        error: Exception,
    ) -> None:
        """Take up where the store really is. Only what is wrong with the entry alone is mended here."""
        _log.error("log.failed", device=device.id, seq=kept.seq, error=type(error).__name__)
        self._back(kept)
        if event is None or isinstance(error, Unavailable):
            self._fleet.start_over()
        elif isinstance(error, Conflict):
            # It came after one that failed, which is being mended right now.
            self._retake(device, message)
        else:
            # What it means cannot be put on record; that it was said can, and the log goes on.
            why = type(error).__name__
            rows = [self._rows.unreadable(device.id, why, kept.received_ms)]
            self._keep(kept, rows, self._committed(device, message, kept, None))

    def _retake(self, device: Device, message: Message) -> None:
        try:
            self.event(device, message)
        except (Rejected, SealError, Unavailable) as refused:
            # Not acked: whatever it waits for, both come again on the next connection.
            _log.warning("log.not_retaken", device=device.id, error=str(refused))
            self._fleet.start_over()

    def _back(self, kept: LogEntry) -> None:
        head = self._heads.get(kept.device)
        if head is not None and head.epoch == kept.epoch and head.seq < kept.seq:
            return
        self._heads.pop(kept.device, None)
        if kept.device in self._stored:
            self._heads[kept.device] = self._stored[kept.device]

    def _acknowledge(self, device: Device, held: LogHead) -> None:
        newest = self._stored.get(device.id, held)
        over = newest.epoch != held.epoch and held.epoch in self._epochs.get(device.id, ())
        said = gateway_messages.events_ack(held.epoch, held.seq, held.digest, over)
        self._fleet.tell(device, topics.EVENTS_ACK, said)

    async def _again(self, device: Device, message: Message, epoch: str, seq: int) -> None:
        """An entry that we hold: say so again. The same number with another content is tampering."""
        try:
            try:
                await self._compare(device, message, epoch, seq)
            except Rejected as refused:
                self._fleet.reject(device, topics.EVENTS, refused.problem)
            # One whose flash says otherwise sees by the digest that it has to go on above that; one whose
            # log is over hears so.
            held = self._epochs.get(device.id, {}).get(epoch)
            if held is not None:
                self._acknowledge(device, held)
        except SealError as refused:
            self._fleet.reject(device, topics.EVENTS, f"seal: {refused.reason}")
        except Unavailable as away:
            # Neither judged nor acknowledged: it comes again.
            _log.warning("log.waits", device=device.id, error=str(away))
            self._fleet.start_over()
            return
        message.ack()

    async def _compare(self, device: Device, message: Message, epoch: str, seq: int) -> None:
        """Raise Rejected or SealError for what is not the entry that we hold.

        Its seal is judged first: a row about tampering that anybody could cause would be worth nothing.
        """
        known = await self._store.entry(device.id, epoch, seq)
        before = await self._digest_of(device.id, epoch, seq - 1)
        stored = self._stored.get(device.id)
        if stored is not None and stored.epoch == epoch and seq <= stored.seq:
            if known is None or not known.body or before is None:
                return  # in a gap nothing is known of an entry but that it was acknowledged once
        elif known is None or before is None:
            raise Rejected("an event of a log that is over")
        sealed = seal.split(message.payload)
        gone = gateway_messages.lost(sealed.body)
        digest = seal.chain(before, epoch, seq, sealed.body) if gone is None else gone[2]
        self._signer.verify(device.id, topics.EVENTS, message.payload, digest)
        if gone is not None and digest == known.digest:
            return  # what it dropped had come, or it tells us once more, and later
        if known.body != sealed.body:
            await self._contradicted(device, epoch, seq)
            raise Rejected("an event that differs from the stored one")

    async def _digest_of(self, device_id: str, epoch: str, seq: int) -> bytes | None:
        """The log's digest after this entry; None when we do not hold it."""
        if seq == 0:
            return seal.CHAIN_START
        known = await self._store.entry(device_id, epoch, seq)
        return known.digest if known else None

    async def _contradicted(self, device: Device, epoch: str, seq: int) -> None:
        """A board has changed its past. On record once a log: what it says may come again without end."""
        if (device.id, epoch) in self._contradictions:
            return
        self._contradictions.add((device.id, epoch))
        why = f"The board tells event {seq} of its log otherwise than before."
        row = self._rows.tamper(device.id, why, milliseconds(self._clock.now()))
        self._announcer.announce([await self._store.append(row)])


def _continues(stored: LogHead | None, kept: LogEntry) -> bool:
    held = stored.seq if stored is not None and stored.epoch == kept.epoch else 0
    gone = gateway_messages.lost(kept.body)
    first = kept.seq if gone is None else gone[0]
    return first <= held + 1 <= kept.seq


def _digest_after(head: LogHead | None, epoch: str, seq: int, body: bytes) -> bytes:
    """The log's digest after an entry, if it continues what is held. Raises Rejected for a gap.

    Of what the board had to drop nothing is left but what `lost` says of it, under the board's seal.
    """
    same = head is not None and head.epoch == epoch
    held = head.seq if head is not None and same else 0
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
