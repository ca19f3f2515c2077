"""What the API takes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Order(BaseModel):
    """A request body: what it does not know it refuses, so that a typing mistake is no silent default."""

    model_config = ConfigDict(extra="forbid")


def _card_number(text: str) -> str:
    plain = text.replace(":", "").replace("-", "").replace(" ", "").lower()
    if len(plain) not in (8, 14, 20) or not set(plain) <= set("0123456789abcdef"):
        message = "a card number has 4, 7 or 10 bytes in hex, like 04a1b2c3d4e5f6"
        raise ValueError(message)
    return plain


CardNumber = Annotated[str, Field(max_length=40), AfterValidator(_card_number)]
Name = Annotated[str, Field(min_length=1, max_length=128)]
Secret = Annotated[str, Field(max_length=512)]  # how long it may be is the application's to say


class PersonOrder(Order):
    """A person to add. What a name may be is the application's to say."""

    name: str
    levels: list[Name] = []


class CardOrder(Order):
    """A card to give to a person."""

    uid: CardNumber
    person: Name


class RevokeOrder(Order):
    """A card to take away."""

    uid: CardNumber


class OperatorOrder(Order):
    """An operator to add."""

    username: Secret
    password: Secret
    role: Name


class PasswordOrder(Order):
    """A new password."""

    password: Secret


class RoleOrder(Order):
    """Another role for an operator."""

    role: Name


class PermissionsOrder(Order):
    """What a role holds from now on."""

    permissions: Annotated[list[Name], Field(max_length=64)]


class TokenOrder(Order):
    """A token to make. unattended: it may open doors with nobody there to confirm."""

    owner: Name
    name: Name
    scopes: Annotated[list[Name], Field(max_length=64)]
    days: Annotated[int, Field(ge=1, le=3650)] = 90
    unattended: bool = False


class ConfirmOrder(Order):
    """One's password, or a code of one's second factor."""

    proof: Secret


class AdoptOrder(Order):
    """A board to adopt. `again` makes new keys for one that is known, and shuts out whatever holds the old ones."""

    id: str = Field(max_length=128)
    board: str = Field(max_length=128)
    broker: str | None = Field(default=None, max_length=128)
    again: bool = False


class ApproveOrder(Order):
    """The door that a board is to keep: a new one, or one whose board is gone."""

    door: str = Field(max_length=256)
    strike_s: int | None = None
    held_s: int | None = None


class LightSetOrder(Order):
    """How a lamp is to shine: percent, K, ms. How much of each there may be is the application's to say."""

    level: int
    kelvin: int | None = None
    fade_ms: int | None = None


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


class SelfTestOrder(Order):
    """A test of a board. move: release its lock once, and watch it."""

    move: bool = False


class HeardOrder(Order):
    """What somebody heard at the door: whether the relay clicked."""

    click: bool
