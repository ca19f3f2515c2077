"""What each chip's pins can do, and what they do by themselves while the chip starts.

Sources, all by Espressif: ESP32 Series Datasheet v4 (2.2 pin overview, 3 boot configurations, appendix IO_MUX),
ESP32-S3 Series Datasheet v2.2 (tables 2-1, 2-2, 2-8, 3-1), ESP32-C3 Series Datasheet (tables 2-1 to 2-4, 3-1), and the
page “GPIO & RTC GPIO” of the ESP-IDF programming guide for each of them. Which buses `machine.SPI` and `machine.I2C`
offer is in MicroPython's quick reference for the ESP32.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

LOW, HIGH = 0, 1
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Chip:
    """One kind of chip. Every number is a GPIO's."""

    name: str
    title: str
    pins: frozenset[int]
    strapping: Mapping[int, str]  # what the level at reset decides
    flash: frozenset[int]  # flash, and PSRAM on the modules that have it
    adc1: frozenset[int]
    adc2: frozenset[int]  # Wi-Fi needs this converter for itself
    usb: frozenset[int]  # the chip's own USB serial and JTAG
    uart0: frozenset[int]  # the console, and how the board is flashed
    spi: frozenset[int]
    i2c: frozenset[int]
    input_only: frozenset[int] = _NONE  # no pull resistors inside, either
    # Pulled inside from reset on; others float.
    pulled: Mapping[int, int] = field(default_factory=dict)
    # Levels that are driven for an instant at power-up.
    driven: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def free(self) -> frozenset[int]:
        """The pins that nothing else needs."""
        taken = self.flash | self.usb | self.uart0 | frozenset(self.strapping)
        return self.pins - taken


def _run(*spans: tuple[int, int]) -> frozenset[int]:
    return frozenset(pin for first, last in spans for pin in range(first, last + 1))


_LOW_GLITCH = frozenset({LOW})

ESP32 = Chip(
    name="esp32",
    title="ESP32",
    # 20 is on no module but the ESP32-PICO-V3.
    pins=_run((0, 19), (21, 23), (25, 27), (32, 39)),
    strapping={
        0: "low at reset, the chip waits for a download instead of starting",
        2: "high at reset, the chip cannot be flashed over USB",
        5: "it is pulled high at reset, and its level sets the timing of the SDIO slave",
        12: "high at reset, the flash gets 1.8 V and the chip does not start",
        15: "it is pulled high at reset; low, the chip starts without a word",
    },
    # 16 and 17 belong to the PSRAM on WROVER modules.
    flash=_run((6, 11), (16, 17)),
    adc1=_run((32, 39)),
    adc2=frozenset({0, 2, 4, 12, 13, 14, 15, 25, 26, 27}),
    usb=_NONE,
    uart0=frozenset({1, 3}),
    spi=frozenset({1, 2}),
    i2c=frozenset({0, 1}),
    input_only=_run((34, 39)),
    pulled={0: HIGH, 2: LOW, 4: LOW, 5: HIGH, 12: LOW, 13: LOW, 14: HIGH, 15: HIGH},
)

ESP32_S3 = Chip(
    name="esp32-s3",
    title="ESP32-S3",
    pins=_run((0, 21), (26, 48)),
    strapping={
        0: "low at reset, the chip waits for a download instead of starting",
        3: "its level at reset chooses where JTAG is",
        45: "high at reset, the flash gets 1.8 V and the chip does not start",
        46: "its level at reset chooses how the chip starts",
    },
    # 33 to 37 belong to octal flash or PSRAM (WROOM-1 with R8 or R16 in its name).
    flash=_run((26, 37)),
    adc1=_run((1, 10)),
    adc2=_run((11, 20)),
    usb=frozenset({19, 20}),
    uart0=frozenset({43, 44}),
    spi=frozenset({1, 2}),
    i2c=frozenset({0, 1}),
    pulled={0: HIGH, 39: HIGH, 43: HIGH, 44: HIGH, 45: LOW, 46: LOW},
    driven={
        **dict.fromkeys(_run((1, 17)), _LOW_GLITCH),
        **dict.fromkeys((18, 19, 20), frozenset({LOW, HIGH})),
    },
)

ESP32_C3 = Chip(
    name="esp32-c3",
    title="ESP32-C3",
    pins=_run((0, 21)),
    strapping={
        2: "low at reset, the chip may not start",
        8: "low at reset, the chip cannot be flashed over USB",
        9: "low at reset, the chip waits for a download instead of starting",
    },
    flash=_run((11, 17)),  # 11 is the supply of the flash
    adc1=_run((0, 4)),
    adc2=frozenset({5}),
    usb=frozenset({18, 19}),
    uart0=frozenset({20, 21}),
    spi=frozenset({1}),
    i2c=frozenset({0}),
    pulled={6: HIGH, 9: HIGH, 19: HIGH, 20: HIGH, 21: HIGH},
    driven={**dict.fromkeys((6, 7, 10, 20), _LOW_GLITCH), 18: frozenset({HIGH})},
)

CHIPS: Mapping[str, Chip] = MappingProxyType(
    {chip.name: chip for chip in (ESP32, ESP32_S3, ESP32_C3)}
)
