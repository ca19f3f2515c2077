"""What the API takes and gives of the virtual site of the demo."""

from typing import Annotated, Literal

from pydantic import Field

from doorward.web.api.shapes.base import Answer, Name, Order


class TapOrder(Order):
    """A card to hold to a reader: by its key on the site, or by its number."""

    door: Name
    card: Name


class KeyOrder(Order):
    """Keys to type on a board's keypad, as 2580#."""

    board: Name
    keys: Annotated[str, Field(min_length=1, max_length=32)]


class PressOrder(Order):
    """A button of a board to press for a moment."""

    board: Name
    part: Literal["rex", "tamper", "button"]


class MotionOrder(Order):
    """Whether somebody moves before a board's sensor."""

    board: Name
    there: bool


class ContactOrder(Order):
    """A door leaf to move."""

    door: Name
    open: bool


class PullOrder(Order):
    """Somebody who pulls at a door, or leaves it alone."""

    board: Name
    pulled: bool


class FaultOrder(Order):
    """Something of a board to break, or to mend."""

    board: Name
    fault: Name
    broken: bool


class SiteCardAnswer(Answer):
    """A card of the virtual site."""

    key: str
    label: str
    tail: str


class SiteBoardAnswer(Answer):
    """A virtual board: the door it keeps, if it keeps one, what people call it, and what is wired to it."""

    id: str
    door_id: str | None
    door_name: str
    running: bool
    contact: Literal["open", "closed"] | None
    parts: list[str]


class SiteAnswer(Answer):
    """The virtual site."""

    cards: list[SiteCardAnswer]
    boards: list[SiteBoardAnswer]
