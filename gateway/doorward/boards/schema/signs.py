"""What shines or sounds: lamps, the status light, the buzzer."""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from doorward.boards.schema.part import Gpio, Level, Part, Use


class Buzzer(Part):
    """A buzzer that sounds by itself (active: the level at which it does), or one that is given its tone (hz)."""

    pin: Annotated[Gpio, Use.OUTPUT]
    active: Level | None = None
    hz: int | None = Field(default=None, ge=100, le=10_000)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.active is None) == (self.hz is None):
            raise ValueError("name either active or hz")
        return self


class Led(Part):
    """The status light: one colour, or up to three behind one lens. active: the level at which they are lit."""

    r: Annotated[Gpio | None, Use.OUTPUT] = None
    g: Annotated[Gpio | None, Use.OUTPUT] = None
    b: Annotated[Gpio | None, Use.OUTPUT] = None
    active: Level

    @model_validator(mode="after")
    def _a_colour(self) -> Self:
        if self.r is self.g is self.b is None:
            raise ValueError("name at least one of r, g and b")
        return self


class _Light(Part):
    # active: the level at which it shines; least: the duty of 65535 at which it can just be seen.
    active: Level
    hz: int = Field(default=1_000, ge=100, le=40_000)
    least: int = Field(default=400, ge=0, le=20_000)


class White(_Light):
    """A lamp of one colour behind a MOSFET."""

    pin: Annotated[Gpio, Use.ACTUATOR]


class TunableWhite(_Light):
    """A warm and a cool string of LEDs, a MOSFET each, mixed to any white between them."""

    warm: Annotated[Gpio, Use.ACTUATOR]
    cool: Annotated[Gpio, Use.ACTUATOR]
    warm_k: int = Field(ge=1_000, le=20_000)
    cool_k: int = Field(ge=1_000, le=20_000)


def _light(value: Any) -> str:
    tuned = isinstance(value, TunableWhite) or (isinstance(value, dict) and "warm" in value)
    return "tunable white" if tuned else "white"


Lamp = Annotated[
    Annotated[White, Tag("white")] | Annotated[TunableWhite, Tag("tunable white")],
    Discriminator(_light),
]
