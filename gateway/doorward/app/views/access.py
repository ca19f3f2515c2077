"""What is shown of doors, releases, decisions, people and their cards: no whole card number."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from doorward.app.views.audit import AuditEntry
from doorward.app.views.fixtures import Lockout

Contact = Literal["open", "closed"]
Verdict = Literal["grant", "deny"]
ReleaseState = Literal["unknown", "opened", "expired", "failed"]
ReleaseKind = Literal["open", "end_lockout", "end_wait"]


@dataclass(frozen=True, slots=True)
class Release:
    """A remote release. It is `unknown` until the board's own event says `opened`, or the time is up.

    kind: what was asked. What ends a vault's lockout, or the wait of a door's keypad, lets nobody in.
    """

    id: str
    door_id: str
    door_name: str
    actor: str
    state: ReleaseState
    requested_at: datetime
    expires_at: datetime
    note: str | None = None
    kind: ReleaseKind = "open"


@dataclass(frozen=True, slots=True)
class DoorView:
    """A door as last heard of. locked and contact are None while no board has told.

    vault: a vault's own word (`LOCKED`, `UNLOCKED`, `INDEFINITE_LOCKED`), None at a door. attempts: at a vault, since
    somebody was let in. codes_until: how long a door's keypad looks at no code. battery_mv: of a board
    that has one.
    """

    id: str
    name: str
    online: bool
    locked: bool | None = None
    contact: Contact | None = None
    alarm: str | None = None  # "forced" or "held"
    last: AuditEntry | None = None
    release: Release | None = None  # the latest one, also when it is over
    policy_version: int | None = None  # what the board holds
    policy_wanted: int | None = None  # what it should hold
    firmware: str | None = None
    heard_at: datetime | None = None
    lockout: Lockout | None = None
    vault: str | None = None
    attempts: int | None = None
    codes_until: datetime | None = None
    battery_mv: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was tried. passed is None for rules that were not reached."""

    rule: int
    name: str
    sentence: str
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which rule decides for a card at a door at an instant, and every rule on the way there."""

    verdict: Verdict
    rule: int
    rule_name: str
    sentence: str
    steps: tuple[Step, ...]
    person: str | None
    card_tail: str
    door_id: str
    door_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Card:
    """A card by its last four digits."""

    id: int
    tail: str
    person: str
    revoked: bool
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may carry cards. levels are the names of access levels; valid_from and valid_until count, too."""

    id: int
    name: str
    active: bool
    levels: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class HolidayView:
    """A holiday from first to last, each year if yearly. next: when it begins, or has begun; None: it is over."""

    name: str
    first: date
    last: date
    yearly: bool
    next: date | None


@dataclass(frozen=True, slots=True)
class LevelGrant:
    """One door of an access level, and when."""

    door_id: str
    door_name: str
    schedule: str


@dataclass(frozen=True, slots=True)
class Level:
    """An access level: which doors it opens, and when."""

    id: int
    name: str
    grants: tuple[LevelGrant, ...] = ()
