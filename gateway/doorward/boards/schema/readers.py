"""Readers and keypads."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from doorward.boards.schema.part import Gpio, Part, Use, kind


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


Reader = Annotated[
    Annotated[Mfrc522, Tag("mfrc522")]
    | Annotated[Pn532Spi, Tag("pn532 spi")]
    | Annotated[Pn532I2c, Tag("pn532 i2c")]
    | Annotated[Wiegand, Tag("wiegand")],
    Discriminator(
        kind,
        custom_error_type="driver",
        custom_error_message='need driver "mfrc522", "wiegand", or "pn532" with bus "spi" or "i2c"',
    ),
]
Keypad = Annotated[
    Annotated[Matrix, Tag("matrix")] | Annotated[Wiegand, Tag("wiegand")],
    Discriminator(
        kind,
        custom_error_type="driver",
        custom_error_message='need driver "matrix" or "wiegand"',
    ),
]
