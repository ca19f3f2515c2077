"""What a board profile says. Unknown names and wrong kinds are refused; what a chip cannot do is `lint`'s to say.

Times in s and µs, resistors in ohm, colour temperature in K, 0 and 1 are levels as the chip sees them.
"""

from enum import Enum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag


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


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Resistor(_Section):
    """A resistor beside the board that holds a pin while the chip does not."""

    ohm: int = Field(ge=1_000, le=47_000)
    to: Literal["GND", "3V3"]


class Part(_Section):
    """What every part may carry besides its pins. `aside` names what is for people and the gateway alone."""

    aside: ClassVar[frozenset[str]] = frozenset({"note", "resistor"})
    note: str = ""
    resistor: Resistor | None = None


# --- readers ------------------------------------------------------------------------------------------------------


class Mfrc522(Part):
    """An RC522 module."""

    driver: Literal["mfrc522"]
    spi: int = Field(ge=0, le=3)
    sck: Annotated[Gpio, Use.OUTPUT]
    mosi: Annotated[Gpio, Use.OUTPUT]
    miso: Annotated[Gpio, Use.INPUT]
    cs: Annotated[Gpio, Use.OUTPUT]
    rst: Annotated[Gpio | None, Use.OUTPUT] = None


class Pn532Spi(Part):
    """A PN532 module, its switches set to SPI."""

    driver: Literal["pn532"]
    bus: Literal["spi"]
    spi: int = Field(ge=0, le=3)
    sck: Annotated[Gpio, Use.OUTPUT]
    mosi: Annotated[Gpio, Use.OUTPUT]
    miso: Annotated[Gpio, Use.INPUT]
    cs: Annotated[Gpio, Use.OUTPUT]
    irq: Annotated[Gpio, Use.INPUT]
    rst: Annotated[Gpio | None, Use.OUTPUT] = None


class Pn532I2c(Part):
    """A PN532 module, its switches set to I²C."""

    driver: Literal["pn532"]
    bus: Literal["i2c"]
    i2c: int = Field(ge=0, le=1)
    sda: Annotated[Gpio, Use.BUS]
    scl: Annotated[Gpio, Use.BUS]
    irq: Annotated[Gpio, Use.INPUT]
    rst: Annotated[Gpio | None, Use.OUTPUT] = None


class Wiegand(Part):
    """A reader or keypad with two data lines, through a divider each: they carry 5 V."""

    driver: Literal["wiegand"]
    d0: Annotated[Gpio, Use.INPUT]
    d1: Annotated[Gpio, Use.INPUT]


class Matrix(Part):
    """A keypad of rows and columns, read row by row. keys: what is printed on it, a row after the other."""

    driver: Literal["matrix"]
    rows: Annotated[tuple[Gpio, ...], Use.OUTPUT, Field(min_length=1, max_length=8, strict=False)]
    columns: Annotated[
        tuple[Gpio, ...], Use.SWITCH, Field(min_length=1, max_length=8, strict=False)
    ]
    keys: str = Field(min_length=1, max_length=64)


def _kind(value: Any) -> str | None:
    """Which of the kinds below a table or a part is: its driver, and the bus where a driver has two."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if not isinstance(value, dict):
        return None
    bus = value.get("bus")
    driver = value.get("driver")
    return f"{driver} {bus}" if driver == "pn532" else driver


Reader = Annotated[
    Annotated[Mfrc522, Tag("mfrc522")]
    | Annotated[Pn532Spi, Tag("pn532 spi")]
    | Annotated[Pn532I2c, Tag("pn532 i2c")]
    | Annotated[Wiegand, Tag("wiegand")],
    Discriminator(
        _kind,
        custom_error_type="driver",
        custom_error_message='need driver "mfrc522", "wiegand", or "pn532" with bus "spi" or "i2c"',
    ),
]
Keypad = Annotated[
    Annotated[Matrix, Tag("matrix")] | Annotated[Wiegand, Tag("wiegand")],
    Discriminator(
        _kind,
        custom_error_type="driver",
        custom_error_message='need driver "matrix" or "wiegand"',
    ),
]


# --- inputs -------------------------------------------------------------------------------------------------------


class Contact(Part):
    """The door's contact. closed: the level while the door is. pull: "none" where a resistor stands outside."""

    pin: Annotated[Gpio, Use.SWITCH]
    closed: Level
    pull: Pull = "up"


class Switch(Part):
    """An exit button, or the switch that sees the lid. active: the level while it is pressed, or the lid is off."""

    pin: Annotated[Gpio, Use.SWITCH]
    active: Level
    pull: Pull = "up"


class Pir(Part):
    """A motion sensor with a 3.3 V output. active: its level while something moves."""

    pin: Annotated[Gpio, Use.INPUT]
    active: Level


class Battery(Part):
    """The supply through a divider. ratio: volts at the battery for one volt at the pin."""

    pin: Annotated[Gpio, Use.ANALOG]
    ratio: float = Field(ge=1, le=20)


# --- outputs ------------------------------------------------------------------------------------------------------


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


class Servo(Part):
    """A padlock's servo. The pulse lengths turn it to locked and to open."""

    driver: Literal["servo"]
    pin: Annotated[Gpio, Use.ACTUATOR]
    locked_us: int = Field(ge=500, le=2_500)
    open_us: int = Field(ge=500, le=2_500)
    switch: Annotated[Gpio, Use.SWITCH]
    closed: Level


class Solenoid(Part):
    """A padlock's solenoid: it opens while it is energised, for cap_s at most, or its coil burns."""

    driver: Literal["solenoid"]
    pin: Annotated[Gpio, Use.ACTUATOR]
    active: Level
    cap_s: int = Field(ge=1, le=10)
    switch: Annotated[Gpio, Use.SWITCH]
    closed: Level


Padlock = Annotated[
    Annotated[Servo, Tag("servo")] | Annotated[Solenoid, Tag("solenoid")],
    Discriminator(
        _kind,
        custom_error_type="driver",
        custom_error_message='need driver "servo" or "solenoid"',
    ),
]


class Buzzer(Part):
    """A passive buzzer: it hums as fast as its pin moves."""

    pin: Annotated[Gpio, Use.OUTPUT]


class Led(Part):
    """A status light. active: the level at which it is lit."""

    pin: Annotated[Gpio, Use.OUTPUT]
    active: Level


class Channel(_Section):
    """One string of LEDs behind a MOSFET."""

    pin: Annotated[Gpio, Use.ACTUATOR]
    kelvin: int = Field(ge=1_000, le=20_000)


class Lamp(Part):
    """One white, or a warm and a cold one that are mixed. gamma: how its brightness follows the wish."""

    channels: tuple[Channel, ...] = Field(min_length=1, max_length=2, strict=False)
    gamma: float = Field(default=2.2, ge=1, le=3)
    hz: int = Field(default=1_000, ge=100, le=40_000)


class Profile(_Section):
    """One board: its chip, what it is there for, and every part that hangs on it."""

    title: str = Field(min_length=1, max_length=80)
    chip: Literal["esp32", "esp32-s3", "esp32-c3"]
    role: Literal["door", "vault", "motion", "lamp", "combined"]
    reader: Reader | None = None
    keypad: Keypad | None = None
    strike: Strike | None = None
    contact: Contact | None = None
    rex: Switch | None = None
    tamper: Switch | None = None
    padlock: Padlock | None = None
    pir: Pir | None = None
    battery: Battery | None = None
    lamp: Lamp | None = None
    buzzer: Buzzer | None = None
    led: Led | None = None

    def parts(self) -> dict[str, Part]:
        """The parts that are there, by name."""
        named = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: part for name, part in named if isinstance(part, Part)}


PARTS = tuple(name for name in Profile.model_fields if name not in ("title", "chip", "role"))
