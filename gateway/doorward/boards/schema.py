"""What a board profile says. Unknown names and wrong kinds are refused; what a chip cannot do is `lint`'s to say.

Times in s and µs, resistors in ohm, colour temperature in K, 0 and 1 are levels as the chip sees them.
"""

from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator


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
    irq: Annotated[Gpio | None, Use.INPUT] = None
    rst: Annotated[Gpio | None, Use.OUTPUT] = None


class Pn532I2c(Part):
    """A PN532 module, its switches set to I²C."""

    driver: Literal["pn532"]
    bus: Literal["i2c"]
    i2c: int = Field(ge=0, le=1)
    sda: Annotated[Gpio, Use.BUS]
    scl: Annotated[Gpio, Use.BUS]
    irq: Annotated[Gpio | None, Use.INPUT] = None
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
    cols: Annotated[tuple[Gpio, ...], Use.SWITCH, Field(min_length=1, max_length=8, strict=False)]
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


class BoltSwitch(_Section):
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
        _kind,
        custom_error_type="driver",
        custom_error_message='need driver "servo" or "solenoid"',
    ),
]


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
    button: Switch | None = None
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
