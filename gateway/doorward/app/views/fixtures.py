"""What is shown of lamps, motion sensors and vaults."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class LightView:
    """A lamp as last heard of. level in percent, kelvin in K: None while no board has told, or for one white.

    cause: what set it last: `command`, `button`, `motion` or `start`.
    """

    id: str
    name: str
    online: bool
    level: int | None = None
    kelvin: int | None = None
    cause: str | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MotionView:
    """A motion sensor as last heard of. motion: None while it warms up, or no board has told.

    moved_at: when somebody came last, since the gateway started. battery_mv: of a board that has one.
    """

    id: str
    name: str
    online: bool
    motion: bool | None = None
    moved_at: datetime | None = None
    battery_mv: int | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lockout:
    """What a board does about failed attempts.

    kind: `guarded`, at a door: a card is looked at when it is shown twice; `locked`, at a vault: nobody is let in.
    until: when that is over by itself, None where something else ends it.
    """

    kind: Literal["guarded", "locked"]
    until: datetime | None = None
