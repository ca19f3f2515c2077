"""A card was presented: answer first, write it down, and only then let the broker forget the question."""

from collections import Counter
from datetime import datetime

import structlog

from doorward.app.access.announcer import Announcer
from doorward.app.access.rulebook import Rulebook
from doorward.app.messages.fleet import Fleet
from doorward.app.messages.router import Opened
from doorward.app.ports import AuditStore, Clock, Message
from doorward.app.signer_ports import Signer
from doorward.domain import audit, ruling
from doorward.domain.audit import AuditRow
from doorward.domain.credentials import tail
from doorward.domain.doors import Door
from doorward.domain.instants import milliseconds
from doorward.domain.ruling import Ruling
from doorward.errors import Rejected, Unavailable
from doorward_core import gateway_messages, seal, timestamps, topics

_log = structlog.get_logger(__name__)

_REQUEST_DIGITS = 16  # of the nonce: what ties a request to the board's own account of it


class AccessControl:
    """Decides on the snapshot of the instant."""

    def __init__(
        self,
        rulebook: Rulebook,
        fleet: Fleet,
        signer: Signer,
        store: AuditStore,
        announcer: Announcer,
        clock: Clock,
    ) -> None:
        self._rulebook = rulebook
        self._fleet = fleet
        self._signer = signer
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self.counts: Counter[str] = Counter()

    def request(self, opened: Opened) -> None:
        """Answer one access request. Raises Rejected, MessageError or SealError for what is not one."""
        device, message, body, word = opened
        if message.repeated or message.retained:
            # Late by its own admission; the board has decided and will tell.
            raise Rejected("a call that came again")
        nonce = word[1]
        if not isinstance(nonce, bytes):
            raise Rejected("a call without a nonce")
        asked = gateway_messages.parse_access_request(body)
        snapshot = self._rulebook.snapshot
        door = snapshot.by_device.get(device.id)
        if asked.device != device.id or door is None:
            raise Rejected("a call for a door that is not its own")
        uid = self._signer.decrypt_uid(device.id, nonce, asked.credential)
        device.burn_nonce(nonce)
        now = self._clock.now()
        ruled = ruling.rule(snapshot, uid, door, now.astimezone(self._clock.zone))
        self._answer(door, nonce, ruled, now)
        self._write_down(message, _row(door, nonce, uid, ruled, now))

    def _answer(self, door: Door, nonce: bytes, ruled: Ruling, now: datetime) -> None:
        seconds = max(1, door.strike_ms // 1000)
        stamp = timestamps.iso(int(now.timestamp()))
        rule = ruled.decision.rule
        answer = gateway_messages.access_answer(ruled.granted, rule, seconds, stamp)
        self._fleet.say(door.device, topics.ACCESS_RESPONSE, seal.nonce_word(nonce), answer)

    def _write_down(self, message: Message, row: AuditRow) -> None:
        def committed(rows: list[AuditRow] | None, error: Exception | None) -> None:
            if error is not None:
                # Not acked: nobody shall believe that this is on record.
                self.counts["unrecorded"] += 1
                _log.error("audit.failed", device=row.device, error=str(error))
                self._fleet.start_over()
                return
            message.ack()
            self._announcer.announce(rows)

        self.counts["granted" if row.granted else "denied"] += 1
        try:
            self._store.record(row, committed)
        except Unavailable as error:
            committed(None, error)


def _row(door: Door, nonce: bytes, uid: bytes, ruled: Ruling, now: datetime) -> AuditRow:
    person = ruled.holder.person if ruled.holder else None
    return AuditRow(
        at_ms=milliseconds(now),
        kind=audit.ACCESS_DECISION,
        source=audit.GATEWAY,
        device=door.device,
        request=nonce.hex()[:_REQUEST_DIGITS],
        door_id=door.id,
        door_name=door.name,
        person_id=person.id if person else None,
        person=person.name if person else None,
        card_tail=tail(uid),
        granted=ruled.granted,
        rule=ruled.decision.rule,
        why=ruled.sentence,
    )
