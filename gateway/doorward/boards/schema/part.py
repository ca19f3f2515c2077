"""What all parts of a profile have in common."""

from enum import Enum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class Use(Enum):
    """What a pin has to do for its part."""

    INPUT = "an input"
    SWITCH = "an input with a pull-up"  # a contact to ground: the chip's own resistor pulls it up
    OUTPUT = "an output"
    BUS = "both ways"
    ACTUATOR = "an output that moves or lights something"
    ANALOG = "an analog input"


Gpio = Annotated[int, Field(ge=0, le=63)]
Level = Annotated[int, Field(ge=0, le=1)]
Pull = Literal["up", "down", "none"]


class Section(BaseModel):
    """A table of a profile: no unknown names, no wrong kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Resistor(Section):
    """A resistor beside the board that holds a pin while the chip does not."""

    ohm: int = Field(ge=1_000, le=47_000)
    to: Literal["GND", "3V3"]


class Part(Section):
    """What every part may carry besides its pins. `aside` names what is for people and the gateway alone."""

    aside: ClassVar[frozenset[str]] = frozenset({"note", "resistor"})
    note: str = ""
    resistor: Resistor | None = None


def kind(value: Any) -> str | None:
    """Which of its kinds a table or a part is: its driver, and the bus where a driver has two."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if not isinstance(value, dict):
        return None
    bus = value.get("bus")
    driver = value.get("driver")
    return f"{driver} {bus}" if driver == "pn532" else driver
