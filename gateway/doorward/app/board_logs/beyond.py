"""A board that is beyond what we hold of its log: our database is older than its memory."""

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.board_logs.answers import Answers
from doorward.app.board_logs.heads import seq_in
from doorward.app.board_logs.rows import NEW_LOG, EventRows
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import Clock, LogStore, Message, Recorded
from doorward.app.records import LogEntry
from doorward.app.signer_ports import Signer
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds
from doorward.errors import Unavailable
from doorward_core import gateway_messages, seal, topics
from doorward_core.gateway_messages import Hello

_log = structlog.get_logger(__name__)


class Beyond:
    """Goes on where boards do, and puts on record what is missing.

    restored_ms: when the database was last replaced by a backup's, None if it never was.
    """

    def __init__(
        self,
        fleet: Fleet,
        signer: Signer,
        store: LogStore,
        rows: EventRows,
        announcer: Announcer,
        clock: Clock,
        answers: Answers,
        restored_ms: int | None,
    ) -> None:
        self._fleet = fleet
        self._signer = signer
        self._store = store
        self._rows = rows
        self._announcer = announcer
        self._clock = clock
        self._heads = answers.heads
        self._answers = answers
        self._restored_ms = restored_ms
        self._gaps = store.gaps()
        # Boards beyond us without a restore, by what they said in their hello.
        self._ahead: dict[str, LogEntry] = {}

    def hello(self, device: Device, said: Hello) -> None:
        """A board says behind which entry it goes on, and hears what we hold: it may be behind that, or beyond.

        Only acknowledgements of ours move that place, and what the board had to drop; that it tells. So beyond it is
        after a restore: go on there. Without one, somebody has put an older database in place: that is told when the
        board has said what comes next.
        """
        seq, digest = said.log_stored
        head = self._heads.taken(device.id)
        same = head is not None and head.epoch == said.log_epoch
        held = seq_in(head, said.log_epoch)
        over = not same and self._heads.held(device.id, said.log_epoch) is not None
        told = 0 < said.log_lost <= held + 1
        now_ms = milliseconds(self._clock.now())
        gap = LogEntry(device.id, said.log_epoch, seq, b"", digest, now_ms)
        self._ahead.pop(device.id, None)
        if seq <= held or over or told:
            self._answers.tell_held(device, said.log_epoch)
            return
        if self._restored_ms is None:
            self._ahead[device.id] = gap
            self._answers.tell_held(device, said.log_epoch)
            return
        rows = [self._rows.gap(device.id, held + 1, seq, now_ms)]
        if self._gaps.get(device.id, 0) >= self._restored_ms:
            rows.append(self._rows.tamper(device.id, "a second gap, and one restore", now_ms))
        elif head is not None and not same:
            rows.append(self._rows.tamper(device.id, NEW_LOG, now_ms))
        self._keep(gap, rows)

    def go_on(self, device: Device, message: Message, epoch: str, seq: int) -> None:
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
        first = seq_in(self._heads.taken(device.id), epoch) + 1
        now_ms = milliseconds(self._clock.now())
        self._keep(gap, [self._rows.forgotten(device.id, first, gap.seq, now_ms)])

    def _keep(self, gap: LogEntry, rows: list[AuditRow]) -> None:
        self._gaps[gap.device] = gap.received_ms
        self._heads.take(gap)
        try:
            self._store.store_gap(gap, rows, self._committed(gap))
        except Unavailable as error:
            self._committed(gap)(None, error)

    def _committed(self, gap: LogEntry) -> Recorded:
        def done(rows: list[AuditRow] | None, error: Exception | None) -> None:
            if error is not None:
                # The retained hello comes again with the next connection, and the board's events after it.
                _log.error("log.gap_failed", device=gap.device, error=type(error).__name__)
                self._gaps.pop(gap.device, None)
                self._heads.back(gap)
                self._fleet.start_over()
                return
            self._heads.keep(gap)
            self._announcer.announce(rows)
            device = self._fleet.find(gap.device)
            if device is not None:
                self._answers.tell_held(device, gap.epoch)

        return done
