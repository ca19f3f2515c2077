# power_on.py  What is soldered to which pin of this board. Used once, then forgotten (lab_start).
import json

import machine
from lab_parts import link

# GPIOs that a chip brings out, and those that can only be read. Data sheets: ESP32-S3 2.2, ESP32-C3 2.2.
_CHIPS = {"esp32-s3": (0x1_FFFF_FC3F_FFFF, 0), "esp32-c3": (0x3F_FFFF, 0)}


_BATTERY_UV = 3_700_000  # half full


def connect(wiring):
    # wiring: "pins" of /config.json, "chip", and the "ticks" that it begins with, as JSON. Returns these.
    wiring = json.loads(wiring)
    if wiring["chip"] in _CHIPS:
        machine.existing, machine.input_only = _CHIPS[wiring["chip"]]
    if "release" in wiring:
        from lab_parts import naming

        naming.install(wiring["chip"], wiring["release"])
    pins = wiring["pins"]
    for name, level in (
        ("contact", "closed"),
        ("rex", "active"),
        ("tamper", "active"),
        ("button", "active"),
        ("pir", "active"),
    ):
        part = pins.get(name)
        if part:
            # The door is closed, and nobody presses, opens or moves anything.
            machine.levels[part["pin"]] = part[level] if level == "closed" else 1 - part[level]
    battery = pins.get("battery")
    if battery:
        from lab_parts import machine_more

        machine_more.uv[battery["pin"]] = int(_BATTERY_UV / battery["ratio"])
    for part in ("reader", "keypad", "padlock"):
        fields = pins.get(part)
        if fields:
            driver = fields.get("driver")
            if part == "reader" and driver in (None, "mfrc522"):
                _mfrc522(fields)
                continue
            # By its name: that of a chip which this board lacks would be heap.
            name = driver if part == "reader" or driver == "wiegand" else part
            __import__("lab_parts." + name, None, None, (name,)).solder(fields)
    return wiring["ticks"]


def _mfrc522(wiring):
    from lab_parts.mfrc522 import MFRC522

    chip = MFRC522()
    machine.buses[wiring["spi"]] = chip
    machine.parts[wiring["cs"]] = chip.select
    if wiring.get("rst") is not None:
        machine.parts[wiring["rst"]] = chip.hard_reset
    for word in (b"card", b"nocard", b"reader"):
        link.handlers[word] = chip.told
