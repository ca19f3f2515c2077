"""Contacts, switches, motion sensors, and the supply's voltage."""

from typing import Annotated

from pydantic import Field

from doorward.boards.schema.part import Gpio, Level, Part, Pull, Use


class Contact(Part):
    """The door's contact. closed: the level while the door is. pull: "none" where a resistor stands outside."""

    pin: Annotated[Gpio, Use.SWITCH]
    closed: Level
    pull: Pull = "up"


class Switch(Part):
    """An exit button, a lamp's, or the switch that sees the lid. active: while it is pressed, or the lid is off."""

    pin: Annotated[Gpio, Use.SWITCH]
    active: Level
    pull: Pull = "up"


class Pir(Part):
    """A motion sensor with a 3.3 V output.

    active: its level while somebody moves. warm_s: not believed so long after power-on. hold_s: how long after the last
    movement somebody still counts as there.
    """

    pin: Annotated[Gpio, Use.INPUT]
    active: Level
    pull: Pull = "none"
    warm_s: int = Field(default=60, ge=0, le=300)
    hold_s: int = Field(default=10, ge=1, le=3_600)


class Battery(Part):
    """The supply through a divider. ratio: volts at the battery for one volt at the pin."""

    pin: Annotated[Gpio, Use.ANALOG]
    ratio: float = Field(ge=1, le=20)
