"""What the API takes and gives of lamps and motion sensors."""

from datetime import datetime

from doorward.web.api.shapes.base import Answer, Order


class LightSetOrder(Order):
    """How a lamp is to shine: percent, K, ms. How much of each there may be is the application's to say."""

    level: int
    kelvin: int | None = None
    fade_ms: int | None = None


class LightAnswer(Answer):
    """A lamp as last heard of: level in percent, kelvin in K."""

    id: str
    name: str
    online: bool
    level: int | None
    kelvin: int | None
    cause: str | None
    heard_at: datetime | None


class MotionAnswer(Answer):
    """A motion sensor as last heard of; motion is null while it warms up."""

    id: str
    name: str
    online: bool
    motion: bool | None
    moved_at: datetime | None
    battery_mv: int | None
    heard_at: datetime | None
