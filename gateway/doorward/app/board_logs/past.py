"""What a board tells once more: the entries that we hold, or a past that somebody has changed."""

from typing import Protocol

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.board_logs.answers import Answers
from doorward.app.board_logs.rows import EventRows
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import AuditStore, Clock, LogStore, Message
from doorward.app.signer_ports import Signer
from doorward.domain.instants import milliseconds
from doorward.errors import Rejected, Unavailable
from doorward_core import gateway_messages, seal, topics
from doorward_core.seal import SealError

_log = structlog.get_logger(__name__)


class Store(LogStore, AuditStore, Protocol):
    """Where logs are kept, and what is odd about them."""


class Past:
    """Compares what comes again with what is on record."""

    def __init__(
        self,
        fleet: Fleet,
        signer: Signer,
        store: Store,
        rows: EventRows,
        announcer: Announcer,
        clock: Clock,
        answers: Answers,
    ) -> None:
        self._fleet = fleet
        self._signer = signer
        self._store = store
        self._rows = rows
        self._announcer = announcer
        self._clock = clock
        self._heads = answers.heads
        self._answers = answers
        self._contradictions: set[tuple[str, str]] = set()

    async def again(self, device: Device, message: Message, epoch: str, seq: int) -> None:
        """An entry that we hold: say so again. The same number with another content is tampering."""
        try:
            try:
                await self._compare(device, message, epoch, seq)
            except Rejected as refused:
                self._fleet.reject(device, topics.EVENTS, refused.problem)
            # One whose flash says otherwise sees by the digest that it has to go on above that; one whose
            # log is over hears so.
            held = self._heads.held(device.id, epoch)
            if held is not None:
                self._answers.acknowledge(device, held)
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
        if self._heads.is_stored(device.id, epoch, seq):
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
