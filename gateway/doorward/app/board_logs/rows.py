"""What an entry of a board's log means to the audit."""

import base64
from collections.abc import Callable
from dataclasses import replace

from doorward.app.access.rulebook import Rulebook
from doorward.app.records import LogEntry
from doorward.app.signer_ports import Signer
from doorward.domain import audit, flight, ruling
from doorward.domain.audit import AuditRow
from doorward.domain.credentials import CODE
from doorward.domain.doors import Door
from doorward.domain.explain import Facts, sentence
from doorward.domain.snapshot import Holder, Snapshot
from doorward_core import gateway_messages, gateway_timestamps
from doorward_core.gateway_messages import Event
from doorward_core.gateway_updates import Report
from doorward_core.messages import MessageError, flag, number, raw, text

_JUST_MS = 2500
_HUNG = 3  # the cause of a start: the watchdog
_NOTES = 512  # letters of a recording in one event, at the most

# The rest (each relock, each reset of a reader) stays in the log alone.
_AUDITED = {
    "door.open": "The door was opened.",
    "door.closed": "The door was closed.",
    "door.forced": "The door was opened without a release.",
    "door.held": "The door has been standing open for too long.",
    "door.rex": "Somebody left by the exit button.",
    "tamper": "The board reports tampering.",
    "lockout.entered": "Too many failed attempts.",  # at a vault
    "lockout.cleared": "The lockout is over.",
    "rejected": "The board refused messages that were not from this gateway, or came late.",
    "lost": "The board had to drop events: its log was full.",
}
_BEHIND = (
    "The board's log ended before what it had told already: its flash failed, or somebody put an older copy back. "
    "What it had not told by then is gone; it goes on from here."
)
NEW_LOG = "the board started a new log"
_ANEW = (
    "The board came back with a log that is over, as from an older copy of its flash, and started a new log. "
    "What it had not told of the old one by then is gone."
)
_OF_ITSELF = frozenset({"boot", "flight", "update"})
_UPDATES = {
    "installed": (audit.UPDATE_INSTALLED, "The board starts firmware {} on trial."),
    "confirmed": (audit.UPDATE_CONFIRMED, "The board runs firmware {} from now on."),
    "rolled back": (audit.UPDATE_ROLLED_BACK, "Firmware {} failed; the one before runs again."),
    "refused": (audit.UPDATE_REFUSED, "The board did not take firmware {}."),
}

_FROM_AFAR = {
    "lock.changed": "Opened from afar.",
    "lockout.cleared": "The lockout was ended from afar.",
}

_WAIT_ENDED = "The keypad's wait was ended from afar."

# A door never locks: see docs/lockout.md.
_AT_A_READER = {
    "lockout.entered": "Cards were refused one after the other: each has to be shown twice now.",
    "lockout.cleared": "Cards are looked at when they are first shown again. Turned away until then: {turned}.",
}

_AT_A_KEYPAD = {
    "lockout.entered": "Wrong codes were typed, {wrong} that count: the keypad looks at none for {minutes} min.",
    "lockout.cleared": "The keypad looks at codes again.",
}


class EventRows:
    """Turns events into rows, with the names of the people behind the tags."""

    def __init__(
        self,
        rulebook: Rulebook,
        signer: Signer,
        actor: Callable[[str], str | None],
        updater: Callable[[str, int], str | None],
    ) -> None:
        """`actor` says who asked for the release with this command id; `updater`, who gave a board an update."""
        self._rulebook = rulebook
        self._actor = actor
        self._updater = updater
        self._signer = signer

    def of(self, device_id: str, event: Event, now_ms: int) -> list[AuditRow]:
        """The rows for one event; raises MessageError when its data is not what the type promises."""
        snapshot = self._rulebook.snapshot
        door = snapshot.by_device.get(device_id)
        at_ms = _when(event, now_ms)
        if event.kind == audit.ACCESS_DECISION:
            return [self._decision(snapshot, device_id, door, event, at_ms)]
        if event.kind in _FROM_AFAR and event.data.get("cause") == "release":
            command_id = text(event.data, "command_id", 32)
            why = _WAIT_ENDED if "wrong" in event.data else _FROM_AFAR[event.kind]
            row = _plain(device_id, door, event.kind, why, at_ms)
            return [replace(row, actor=self._actor(command_id), note=command_id)]
        if event.kind in _AT_A_KEYPAD and "wrong" in event.data:
            return [_plain(device_id, door, event.kind, _codes(event), at_ms)]
        if event.kind in _AT_A_READER and "reader" in event.data:
            why = _AT_A_READER[event.kind].format(turned=number(event.data, "turned_away"))
            return [_plain(device_id, door, event.kind, why, at_ms)]
        if event.kind == audit.LOST:
            behind = event.data.get("behind") is True
            kind, why = (audit.TAMPER, _BEHIND) if behind else (event.kind, _AUDITED[event.kind])
            return [replace(_plain(device_id, door, kind, why, at_ms), note=_dropped(event))]
        if event.kind in _OF_ITSELF:
            return [self._of_itself(device_id, door, event, at_ms)]
        if event.kind in _AUDITED:
            return [_plain(device_id, door, event.kind, _AUDITED[event.kind], at_ms)]
        return []

    def _update(self, device_id: str, door: Door | None, event: Event, at_ms: int) -> AuditRow:
        report = Report(event.data)
        kind, why = _UPDATES[report.state]
        said = why.format(report.version)
        if report.reason:
            said = f"{said.rstrip('.')}: {report.reason}."
        row = _plain(device_id, door, kind, said, at_ms)
        actor = self._updater(device_id, report.order)
        return replace(row, actor=actor, note=report.reason or None)

    def _of_itself(self, device_id: str, door: Door | None, event: Event, at_ms: int) -> AuditRow:
        """What a board tells of its program: that it started, what it did before that, an update."""
        if event.kind == "update":
            return self._update(device_id, door, event, at_ms)
        if event.kind == "flight":
            return _flight(_plain(device_id, door, audit.FLIGHT, "", at_ms), event)
        if "failure" in event.data or event.data.get("cause") == _HUNG:
            return _plain(device_id, door, audit.BOARD_FAILED, _failure(event), at_ms)
        return _plain(device_id, door, event.kind, "The board started.", at_ms)

    def tamper(self, device_id: str, why: str, now_ms: int) -> AuditRow:
        """A row for what must not happen."""
        door = self._rulebook.snapshot.by_device.get(device_id)
        return _plain(device_id, door, audit.TAMPER, why, now_ms)

    def of_new_log(self, first: LogEntry, rows: list[AuditRow]) -> list[AuditRow]:
        """The rows of an entry that begins another log than the board had. One that was told to says so itself."""
        gone = gateway_messages.lost(first.body)
        if gone is not None and rows and rows[0].kind == audit.TAMPER:
            return [replace(rows[0], why=_ANEW)]
        return [*rows, self.tamper(first.device, NEW_LOG, first.received_ms)]

    def gap(self, device_id: str, first: int, last: int, now_ms: int) -> AuditRow:
        """A row for entries that a board had told to a database that a backup has replaced."""
        door = self._rulebook.snapshot.by_device.get(device_id)
        why = "What this board reported between the backup and the restore is not on record."
        row = _plain(device_id, door, audit.LOG_GAP, why, now_ms)
        note = f"entries {first} to {last} of its log"
        return replace(row, source=audit.GATEWAY, reporter=audit.GATEWAY, note=note)

    def forgotten(self, device_id: str, first: int, last: int, now_ms: int) -> AuditRow:
        """A row for entries that a board had told, and that went with nothing to say why."""
        why = "This board had told more than is on record: an older database was put in place, and not by a restore."
        note = f"entries {first} to {last} of its log"
        return replace(self.tamper(device_id, why, now_ms), note=note)

    def unreadable(self, device_id: str, error: str, now_ms: int) -> AuditRow:
        """A row for an authentic entry that says nothing we understand."""
        door = self._rulebook.snapshot.by_device.get(device_id)
        why = "The board said something that this gateway cannot read."
        return replace(_plain(device_id, door, audit.UNREADABLE, why, now_ms), note=error)

    def _decision(
        self, snapshot: Snapshot, device_id: str, door: Door | None, event: Event, at_ms: int
    ) -> AuditRow:
        data = event.data
        granted, rule = flag(data, "granted"), number(data, "rule", 0, 255)
        digits = text(data, "tail", 4)
        holder = self._holder(snapshot, device_id, digits, raw(data, "tag", 12))
        facts = Facts("This door")
        if door is not None:
            what = CODE if digits == CODE else "card"
            facts = ruling.facts(snapshot, holder, door, None, what)
        return AuditRow(
            at_ms=at_ms,
            kind=audit.ACCESS_DECISION,
            source=audit.GATEWAY if text(data, "source", 8) == audit.GATEWAY else audit.BOARD,
            reporter=audit.BOARD,
            device=device_id,
            request=text(data, "request", 16),
            door_id=door.id if door else None,
            door_name=door.name if door else None,
            person_id=holder.person.id if holder else None,
            person=holder.person.name if holder else None,
            card_tail=digits if digits == CODE else digits.upper(),
            granted=granted,
            rule=rule,
            why=sentence(rule, granted, facts),
        )

    def _holder(self, snapshot: Snapshot, device_id: str, digits: str, tag: bytes) -> Holder | None:
        """Whose card has this tag on this board: tags are computed only for cards that end alike."""
        for holder in snapshot.holders(digits):
            if tag in self._signer.tags(device_id, holder.credential.uid):
                return holder
        return None


def _codes(event: Event) -> str:
    """What a door's keypad does about wrong codes."""
    minutes = number(event.data, "seconds", 0) // 60 if "seconds" in event.data else 0
    wrong = number(event.data, "wrong", 0)
    return _AT_A_KEYPAD[event.kind].format(wrong=wrong, minutes=minutes)


def _dropped(event: Event) -> str:
    """How many events a board had to drop: some of its log, or some that never got there."""
    if "first" not in event.data:
        return f"{number(event.data, 'count', 1)} events"
    first = number(event.data, "first", 1, event.seq)
    return f"entries {first} to {number(event.data, 'last', event.seq, event.seq)} of its log"


def _failure(event: Event) -> str:
    if "failure" in event.data:
        return f"The board failed, and started again: {text(event.data, 'failure', 200)}."
    return "The board hung, and its watchdog started it again."


def _flight(row: AuditRow, event: Event) -> AuditRow:
    """What its recorder kept. Raises MessageError."""
    data = event.data
    count = number(data, "of", 1, 99)
    why = f"What the board did before it failed, part {number(data, 'part', 1, count)} of {count}."
    try:
        notes = base64.b64decode(text(data, "notes", _NOTES), validate=True)
    except ValueError as error:
        if isinstance(error, MessageError):
            raise
        raise MessageError("notes", "base64") from None
    return replace(row, why=why, note="; ".join(flight.lines(notes)))


def _plain(device_id: str, door: Door | None, kind: str, why: str, at_ms: int) -> AuditRow:
    return AuditRow(
        at_ms=at_ms,
        kind=kind,
        source=audit.BOARD,
        reporter=audit.BOARD,
        device=device_id,
        door_id=door.id if door else None,
        door_name=door.name if door else None,
        why=why,
    )


def _when(event: Event, now_ms: int) -> int:
    """The board's time where it had the gateway's, else when we heard of it."""
    if event.clock != "gateway":
        return now_ms
    try:
        told_ms = gateway_timestamps.parse(event.timestamp) * 1000
    except ValueError:
        return now_ms
    # A board counts whole seconds: for what has just happened our own clock is the better one.
    return now_ms if abs(now_ms - told_ms) < _JUST_MS else told_ms
