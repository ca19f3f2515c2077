"""What the API takes and gives of a board's test of itself."""

from datetime import datetime
from typing import Any

from doorward.web.api.shapes.base import Answer, Order


class SelfTestOrder(Order):
    """A test of a board. move: release its lock once, and watch it."""

    move: bool = False


class HeardOrder(Order):
    """What somebody heard at the door: whether the relay clicked."""

    click: bool


class WireFindingAnswer(Answer):
    """Something that is wrong with a board. what: the symptom; remedy: the next step; wires: by profile field."""

    code: str
    what: str
    remedy: str
    sentence: str
    wires: list[str]


class SelfTestAnswer(Answer):
    """A board's test of itself. state: reading, watching, released, done or failed; note says why it failed.

    readings: by part, as the board sent them (docs/protocol.md). unsure: it would help to know if the relay clicked.
    """

    id: str
    device: str
    actor: str
    state: str
    running: bool
    began_at: datetime
    readings: dict[str, dict[str, Any]]
    findings: list[WireFindingAnswer]
    unsure: bool
    note: str | None
