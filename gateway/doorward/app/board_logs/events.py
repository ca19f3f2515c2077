"""The boards' logs: each entry verified against all before it, stored byte for byte, acked after the commit."""

from collections.abc import Callable

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.board_logs.answers import Answers
from doorward.app.board_logs.beyond import Beyond
from doorward.app.board_logs.heads import Heads, continues, digest_after
from doorward.app.board_logs.past import Past, Store
from doorward.app.board_logs.rows import EventRows
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import Clock, Message, Recorded, Spawn
from doorward.app.records import LogEntry
from doorward.app.signer_ports import Signer
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds
from doorward.errors import Conflict, Rejected, Unavailable
from doorward_core import gateway_messages, seal, topics
from doorward_core.gateway_messages import Event
from doorward_core.messages import MessageError
from doorward_core.seal import SealError

_log = structlog.get_logger(__name__)

Happened = Callable[[str, Event], None]


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
        restored_ms: int | None,
    ) -> None:
        self._fleet = fleet
        self._signer = signer
        self._store = store
        self._rows = rows
        self._announcer = announcer
        self._clock = clock
        self._spawn = spawn
        self._heads = heads = Heads(store)
        self._answers = answers = Answers(fleet, heads)
        both = fleet, signer, store, rows, announcer, clock, answers
        self._beyond = Beyond(*both, restored_ms)
        self._past = Past(*both)
        self.head = heads.stored
        self.hello = self._beyond.hello
        self.happened: list[Happened] = []

    def event(self, device: Device, message: Message) -> None:
        """Take one entry. Raises Rejected or SealError for what does not continue the log."""
        sealed = seal.split(message.payload)
        kind, epoch, seq = seal.parse_freshness(sealed.freshness)
        if kind != "e" or not isinstance(epoch, str):
            raise Rejected("an event without its place in the log")
        if self._heads.is_past(device.id, epoch, seq):
            self._spawn(self._past.again(device, message, epoch, seq))
            return
        self._beyond.go_on(device, message, epoch, seq)
        head = self._heads.taken(device.id)
        digest = digest_after(head, epoch, seq, sealed.body)
        self._signer.verify(device.id, topics.EVENTS, message.payload, digest)
        now_ms = milliseconds(self._clock.now())
        kept = LogEntry(device.id, epoch, seq, sealed.body, digest, now_ms)
        event, rows = self._read(kept)
        if head is not None and epoch != head.epoch:
            rows = self._rows.of_new_log(kept, rows)
        self._keep(kept, rows, self._committed(device, message, kept, event))

    def _keep(self, kept: LogEntry, rows: list[AuditRow], done: Recorded) -> None:
        """Hand an entry to the store; what comes after it continues it from now on."""
        self._heads.take(kept)
        try:
            self._store.store_event(kept, rows, done)
        except Unavailable as error:
            done(None, error)

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
            if error is None and not continues(self._heads.stored(device.id), kept):
                error = Conflict("an event whose predecessor is not stored")
            if error is not None:
                self._failed(device, message, kept, event, error)
                return
            held = self._heads.keep(kept)
            try:
                self._answers.acknowledge(device, held)
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
        self._heads.back(kept)
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
