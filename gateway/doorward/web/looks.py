"""How things look: a state becomes a word, an icon and a tone. Pure; templates only lay it out.

A tone is a colour's name in tokens.css (calm, good, info, warn, bad, dim). It never says what the word does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorward.app.views.access import DoorView, Release, ReleaseKind
from doorward.app.views.audit import AuditEntry

NEWS_STAYS = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class DoorLook:
    """A door card. state picks the drawing; verdict is what the reader's lamp last showed."""

    state: str
    word: str
    icon: str
    tone: str
    detail: str
    verdict: str = ""
    notice: str = ""  # what somebody at the door has to know
    until: datetime | None = None  # when that is over


_DOORS = {
    "forced": ("Forced open", "alert", "bad", "It opened while the strike was locked."),
    "held": ("Held open", "timer", "warn", "It has stood open for too long."),
    "tamper": ("Tampered with", "alert", "bad", "The board reports that somebody is at it."),
    "offline": ("Offline", "offline", "dim", "The board decides by itself until it is back."),
    "open": ("Open", "open", "info", "The leaf is off its frame."),
    "unlocked": ("Unlocked", "unlock", "good", "The strike is released: push now."),
    "locked": ("Locked", "lock", "calm", "The leaf is shut and the bolt is home."),
    "unknown": ("Unknown", "unknown", "dim", "The board has not said yet."),
}


_LOCKOUTS = {
    "guarded": "After refused cards in a row the reader looks at a card only when it is shown twice.",
    "locked": "Too many attempts: no card and no code is looked at.",
}


def door_state(door: DoorView) -> str:
    """The one state that matters most. An open alarm stays visible when the board is gone."""
    if door.alarm in _DOORS:
        return str(door.alarm)
    if not door.online:
        return "offline"
    if door.contact == "open":
        return "open"
    if door.locked is None:
        return "unknown"
    return "locked" if door.locked else "unlocked"


def door_look(door: DoorView) -> DoorLook:
    """How the card of a door looks."""
    state = door_state(door)
    word, icon, tone, detail = _DOORS[state]
    if state == "locked" and door.contact is None:
        detail = "The bolt is home. No door contact has told whether the leaf is shut."
    if state == "offline" and door.locked is not None:
        was = "open" if door.contact == "open" else "locked" if door.locked else "unlocked"
        detail = f"It was {was} when last heard. {detail}"
    granted = door.last.granted if door.last else None
    verdict = "" if granted is None else "granted" if granted else "denied"
    notice, until = "", None
    if door.lockout is not None and door.online:
        notice, until = _LOCKOUTS[door.lockout.kind], door.lockout.until
    return DoorLook(state, word, icon, tone, detail, verdict, notice, until)


@dataclass(frozen=True, slots=True)
class Summary:
    """All doors in one sentence."""

    sentence: str
    detail: str
    tone: str


def summary(doors: Sequence[DoorView]) -> Summary:
    """What somebody who glances at the page must know first: the worst, by name when it is only one."""
    if not doors:
        return Summary("No doors yet", "Nothing to keep.", "calm")
    online = sum(door.online for door in doors)
    detail = f"{len(doors)} {'door' if len(doors) == 1 else 'doors'}, {online} online"
    states = [door_state(door) for door in doors]
    for state, (word, _, tone, _) in _DOORS.items():  # worst first
        there = [door for door, its in zip(doors, states, strict=True) if its == state]
        if there and state != "locked":
            who = f"{there[0].name} is" if len(there) == 1 else f"{len(there)} doors are"
            sentence = f"{who} {word.lower()}"
            return Summary(sentence, detail, tone)
    sentence = f"{doors[0].name} is locked" if len(doors) == 1 else "All doors are locked"
    return Summary(sentence, detail, "calm")


@dataclass(frozen=True, slots=True)
class EventLook:
    """One row of the activity."""

    title: str
    word: str
    icon: str
    tone: str
    why: str
    source: str


_EVENTS = {
    "lock.changed": ("Opened from afar", "unlock", "good"),
    "door.open": ("Door opened", "open", "info"),
    "door.closed": ("Door closed", "closed", "calm"),
    "door.forced": ("Door forced open", "alert", "bad"),
    "door.held": ("Door held open", "timer", "warn"),
    "door.rex": ("Exit button", "leave", "calm"),
    "boot": ("Board started", "note", "calm"),
    "board.failed": ("Board failed", "alert", "warn"),
    "board.flight": ("Flight recorder", "note", "calm"),
    "tamper": ("Tampering", "alert", "bad"),
    "rejected": ("Messages refused", "alert", "warn"),
    "lost": ("Events lost", "alert", "warn"),
    "light.set": ("Light set", "lamp", "calm"),
    "lockout.entered": ("Locked out", "alert", "warn"),
    "lockout.cleared": ("Lockout over", "note", "calm"),
    "release.requested": ("Asked to open", "hand", "info"),
    "release.expired": ("Opening not confirmed", "timer", "warn"),
    "release.failed": ("Opening failed", "denied", "bad"),
    "device.adopted": ("Board adopted", "board", "calm"),
    "device.announced": ("A board waits for a name", "hand", "info"),
    "device.approved": ("Board approved", "board", "good"),
    "device.revoked": ("Board shut out", "denied", "warn"),
    "person.added": ("Person added", "person", "calm"),
    "person.dates": ("Dates changed", "person", "calm"),
    "card.added": ("Card added", "card", "calm"),
    "card.revoked": ("Card revoked", "card", "calm"),
    "holiday.added": ("Holiday added", "timer", "calm"),
    "holiday.removed": ("Holiday removed", "timer", "calm"),
    "login": ("Signed in", "person", "calm"),
    "login.failed": ("Sign-in failed", "denied", "warn"),
    "login.locked": ("Operator locked", "alert", "bad"),
    "logout": ("Signed out", "leave", "calm"),
    "operator.added": ("Operator added", "person", "info"),
    "operator.changed": ("Operator changed", "person", "info"),
    "operator.removed": ("Operator removed", "person", "info"),
    "operator.unlocked": ("Operator unlocked", "unlock", "info"),
    "role.changed": ("Role changed", "person", "info"),
    "token.added": ("Token made", "note", "info"),
    "token.revoked": ("Token revoked", "note", "info"),
    "broker.user": ("Broker user changed", "person", "info"),
    "broker.rule": ("Broker rule changed", "key", "info"),
    "firmware.signed": ("Firmware signed", "key", "info"),
    "firmware.added": ("Firmware added", "board", "info"),
    "device.trusts": ("Board trusts a key", "key", "info"),
    "device.rekeyed": ("Board has a new key", "key", "info"),
    "rekey.requested": ("New key asked for", "key", "info"),
    "selftest.requested": ("Self-test asked for", "board", "calm"),
    "update.offered": ("Firmware offered", "board", "info"),
    "update.installed": ("Firmware on trial", "board", "info"),
    "update.confirmed": ("Firmware updated", "granted", "good"),
    "update.rolled_back": ("Firmware rolled back", "alert", "warn"),
    "update.refused": ("Firmware refused", "denied", "warn"),
    "update.failed": ("Update failed", "alert", "warn"),
    "update.stopped": ("Update stopped", "alert", "warn"),
    "update.cancelled": ("Update cancelled", "note", "info"),
}
_SAID_BY_TITLE = frozenset(
    {"lock.changed", "door.open", "door.closed", "release.requested", "boot"}
)
_SOURCES = {"gateway": "", "board": "decided at the door", "operator": ""}


def event_look(entry: AuditEntry) -> EventLook:
    """How an audit entry reads. A verdict leads with the person, everything else with what happened."""
    why = entry.why or ""
    if entry.kind == "correction":
        why = f"Two accounts of one tap: {entry.note}." if entry.note else why
    if entry.granted is not None and entry.kind in ("access.decision", "correction"):
        title = entry.person or "Unknown card"
        word, icon, tone = (
            ("Granted", "granted", "good") if entry.granted else ("Denied", "denied", "bad")
        )
        return EventLook(title, word, icon, tone, why, _SOURCES.get(entry.source, entry.source))
    title, icon, tone = _EVENTS.get(
        entry.kind, (entry.kind.replace(".", " ").capitalize(), "note", "calm")
    )
    by = f"by {entry.actor}" if entry.actor else ""
    return EventLook(title, "", icon, tone, "" if entry.kind in _SAID_BY_TITLE else why, by)


@dataclass(frozen=True, slots=True)
class ReleaseNote:
    """The open button and the line below it."""

    state: str
    button: str
    text: str
    icon: str
    busy: bool = False


_IDLE = ReleaseNote("idle", "Open", "", "hand")
# By what was asked: while it is under way, when the board said so, when it said nothing.
_RELEASE_NOTES: dict[ReleaseKind, tuple[str, str, str]] = {
    "open": (
        "Sent. Waiting for the door’s own word.",
        "The door says: released.",
        "No word from the door in time. It may not have opened.",
    ),
    "end_lockout": (
        "Ending the lockout. Waiting for the vault’s own word.",
        "The vault says: people may try again.",
        "No word from the vault in time. The lockout may go on.",
    ),
    "end_wait": (
        "Ending the keypad’s wait. Waiting for the door’s own word.",
        "The door says: codes are looked at again.",
        "No word from the door in time. The keypad may go on waiting.",
    ),
}


# What a release itself leaves in the audit. Anything else that the door tells is newer news.
_OF_A_RELEASE = frozenset(
    {"release.requested", "release.expired", "release.failed", "lock.changed", "lockout.cleared"}
)


def release_note(door: DoorView, now: datetime) -> ReleaseNote:
    """How the latest remote release of a door reads, until the door locks again or tells something else."""
    release = door.release
    if release is None or (release.state != "unknown" and _is_past(door, release, now)):
        return _IDLE
    sent, done, silent = _RELEASE_NOTES[release.kind]
    if release.state == "unknown":
        button = "Opening" if release.kind == "open" else "Open"
        return ReleaseNote("unknown", button, sent, "hand", busy=True)
    if release.state == "opened":
        return ReleaseNote("opened", "Open", done, "granted")
    if release.state == "expired":
        return ReleaseNote("expired", "Open", silent, "timer")
    return ReleaseNote("failed", "Open", release.note or "The board refused.", "alert")


def _is_past(door: DoorView, release: Release, now: datetime) -> bool:
    """Whether a release that came to its end is no longer what is going on at the door."""
    if release.state == "opened" and door.locked and release.kind == "open":
        return True
    if door.last is not None and door.last.kind not in _OF_A_RELEASE:
        return True
    return now > release.requested_at + NEWS_STAYS
