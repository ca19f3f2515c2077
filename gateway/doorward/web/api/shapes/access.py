"""What the API takes and gives of people, cards, doors, releases and decisions."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from doorward.web.api.shapes.audit import AuditAnswer
from doorward.web.api.shapes.base import Answer, Name, Order, Secret


def _card_number(text: str) -> str:
    plain = text.replace(":", "").replace("-", "").replace(" ", "").lower()
    if len(plain) not in (8, 14, 20) or not set(plain) <= set("0123456789abcdef"):
        message = "a card number has 4, 7 or 10 bytes in hex, like 04a1b2c3d4e5f6"
        raise ValueError(message)
    return plain


CardNumber = Annotated[str, Field(max_length=40), AfterValidator(_card_number)]


class PersonOrder(Order):
    """A person to add. What a name may be is the application's to say."""

    name: str
    levels: Annotated[list[Name], Field(default_factory=list)]
    valid_from: date | None = None
    valid_until: date | None = None


class DatesOrder(Order):
    """Between which days somebody may pass, both included; null: no bound."""

    person: Name
    valid_from: date | None
    valid_until: date | None


class HolidayOrder(Order):
    """A holiday to add: one day, or all from first to last."""

    name: str
    first: date
    last: date | None = None
    yearly: bool = False


class HolidayName(Order):
    """A holiday to remove."""

    name: Name


class HolidayAnswer(Answer):
    """A holiday. next: when it begins next or began now, null when it is over for good."""

    name: str
    first: date
    last: date
    yearly: bool
    next: date | None


class CardOrder(Order):
    """A card to give to a person."""

    uid: CardNumber
    person: Name


class RevokeOrder(Order):
    """A card to take away."""

    uid: CardNumber


class CodeOrder(Order):
    """A code to give to a person. Without `code` one is made, and told in the answer."""

    person: Name
    code: Secret | None = None


class RevokeCodesOrder(Order):
    """Somebody who is to have no code any more."""

    person: Name


class WhyOrder(Order):
    """A code at a door: in a body, because addresses are logged. Without a zone `at` is the door's local time."""

    code: Secret
    door: Name
    at: datetime | None = None


class ReleaseAnswer(Answer):
    """A remote release: `unknown` until the board's own event arrives or the time is up; kind: what was asked."""

    id: str
    kind: Literal["open", "end_lockout", "end_wait"]
    door_id: str
    door_name: str
    actor: str
    state: Literal["unknown", "opened", "expired", "failed"]
    requested_at: datetime
    expires_at: datetime
    note: str | None


class LockoutAnswer(Answer):
    """What a board does about failed attempts: a card is shown twice (guarded), or nobody is let in (locked)."""

    kind: Literal["guarded", "locked"]
    until: datetime | None


class DoorAnswer(Answer):
    """A door as last heard of."""

    id: str
    name: str
    online: bool
    locked: bool | None
    contact: Literal["open", "closed"] | None
    alarm: str | None
    last: AuditAnswer | None
    release: ReleaseAnswer | None
    policy_version: int | None
    policy_wanted: int | None
    firmware: str | None
    heard_at: datetime | None
    lockout: LockoutAnswer | None
    vault: str | None
    attempts: int | None
    codes_until: datetime | None
    battery_mv: int | None


class StepAnswer(Answer):
    """One rule that was tried; passed is null for rules that were not reached."""

    rule: int
    name: str
    sentence: str
    passed: bool | None


class WhyAnswer(Answer):
    """The rule that decides, and every rule on the way there."""

    verdict: Literal["grant", "deny"]
    rule: int
    rule_name: str
    sentence: str
    steps: list[StepAnswer]
    person: str | None
    card_tail: str
    door_id: str
    door_name: str
    at: datetime


class CardAnswer(Answer):
    """A card by its last four digits."""

    id: int
    tail: str
    person: str
    revoked: bool
    added_at: datetime


class CodeAnswer(CardAnswer):
    """A code that was given to somebody. code: its digits when it was made here, told this once."""

    code: str | None


class PersonAnswer(Answer):
    """Somebody who may carry cards."""

    id: int
    name: str
    active: bool
    levels: list[str]
    cards: list[CardAnswer]
    valid_from: date | None
    valid_until: date | None


class GrantAnswer(Answer):
    """One door of an access level, and when."""

    door_id: str
    door_name: str
    schedule: str


class LevelAnswer(Answer):
    """An access level."""

    id: int
    name: str
    grants: list[GrantAnswer]
