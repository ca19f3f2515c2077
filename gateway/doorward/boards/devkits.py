"""The development board that each profile is for, as it lies on the table with its USB socket at the lower edge.

Pin rows from Espressif's user guides: ESP32-DevKitC V4, ESP32-S3-DevKitC-1 v1.1, ESP32-C3-DevKitM-1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

GROUND, VOLTS_3, VOLTS_5 = "GND", "3V3", "5V"


@dataclass(frozen=True, slots=True)
class Header:
    """One pin: what is printed beside it, and its GPIO (None for power and reset)."""

    label: str
    gpio: int | None


@dataclass(frozen=True, slots=True)
class DevKit:
    """A development board's two rows, from its upper edge down."""

    title: str
    left: tuple[Header, ...]
    right: tuple[Header, ...]

    def has(self, gpio: int) -> bool:
        """Whether a pin is brought out."""
        return any(header.gpio == gpio for header in (*self.left, *self.right))


def _row(text: str, printed: Mapping[str, str]) -> tuple[Header, ...]:
    return tuple(
        Header(printed.get(word, word), int(word) if word.isdecimal() else None)
        for word in text.split()
    )


def _kit(title: str, left: str, right: str, **printed: str) -> DevKit:
    names = {name.removeprefix("io"): label for name, label in printed.items()}
    return DevKit(title, _row(left, names), _row(right, names))


KITS: Mapping[str, DevKit] = MappingProxyType(
    {
        "esp32": _kit(
            "ESP32-DevKitC",
            "3V3 EN 36 39 34 35 32 33 25 26 27 14 12 GND 13 9 10 11 5V",
            "GND 23 22 1 3 21 GND 19 18 5 17 16 4 0 2 15 8 7 6",
            io36="VP",
            io39="VN",
            io1="TX",
            io3="RX",
            io9="D2",
            io10="D3",
            io11="CMD",
            io8="D1",
            io7="D0",
            io6="CLK",
        ),
        "esp32-s3": _kit(
            "ESP32-S3-DevKitC-1",
            "3V3 3V3 RST 4 5 6 7 15 16 17 18 8 3 46 9 10 11 12 13 14 5V GND",
            "GND 43 44 1 2 42 41 40 39 38 37 36 35 0 45 48 47 21 20 19 GND GND",
            io43="TX",
            io44="RX",
        ),
        "esp32-c3": _kit(
            "ESP32-C3-DevKitM-1",
            "GND 3V3 3V3 2 3 GND RST GND 0 1 10 GND 5V 5V GND",
            "GND 21 20 GND 9 8 GND 7 6 5 4 GND 18 19 GND",
            io21="TX",
            io20="RX",
        ),
    }
)
