"""What holds a door or a padlock."""

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from doorward.boards.schema.part import Gpio, Level, Part, Pull, Section, Use, kind


class Strike(Part):
    """The lock's relay. active: the level that switches the relay on.

    fail: "secure" for a strike, which takes current to release the door; "safe" for a magnet, which takes current to
    lock it. cap_s: the door is never released for longer.
    """

    aside: ClassVar[frozenset[str]] = Part.aside | {"cap_s"}
    pin: Annotated[Gpio, Use.ACTUATOR]
    active: Level
    fail: Literal["secure", "safe"]
    cap_s: int = Field(ge=2, le=60)


class BoltSwitch(Section):
    """The switch that sees the bolt. locked: the level while it is locked."""

    pin: Annotated[Gpio, Use.SWITCH]
    locked: Level
    pull: Pull = "up"


class Servo(Part):
    """A padlock's servo. The pulse lengths turn it to locked and to open; move_ms is how long it takes."""

    driver: Literal["servo"]
    pin: Annotated[Gpio, Use.ACTUATOR]
    locked_us: int = Field(ge=500, le=2_500)
    unlocked_us: int = Field(ge=500, le=2_500)
    move_ms: int = Field(ge=100, le=3_000)
    switch: BoltSwitch | None = None


class Solenoid(Part):
    """A padlock's solenoid. active: the level that pulls; pulse_ms: never pulled for longer, or its coil burns."""

    driver: Literal["solenoid"]
    pin: Annotated[Gpio, Use.ACTUATOR]
    active: Level
    pulse_ms: int = Field(ge=100, le=3_000)
    switch: BoltSwitch | None = None


Padlock = Annotated[
    Annotated[Servo, Tag("servo")] | Annotated[Solenoid, Tag("solenoid")],
    Discriminator(
        kind,
        custom_error_type="driver",
        custom_error_message='need driver "servo" or "solenoid"',
    ),
]
