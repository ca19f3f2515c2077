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
    reader = pins.get("reader")
    if reader:
        _readers[reader.get("driver", "mfrc522")](reader)
    keypad = pins.get("keypad")
    if keypad and keypad.get("driver") == "wiegand":
        _wiegand(keypad)
    elif keypad:
        from lab_parts.keypad import Keypad

        link.handlers[b"keys"] = Keypad(keypad["rows"], keypad["cols"]).told
    padlock = pins.get("padlock")
    if padlock:
        from lab_parts.padlock import Padlock

        link.handlers[b"jam"] = Padlock(padlock).told
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


def _pn532(wiring):
    from lab_parts.pn532 import PN532

    chip = PN532(wiring.get("irq"))
    if wiring["bus"] == "i2c":
        machine.buses["i2c%d" % wiring["i2c"]] = chip
    else:
        machine.buses[wiring["spi"]] = chip
        machine.parts[wiring["cs"]] = chip.select
    if wiring.get("rst") is not None:
        machine.parts[wiring["rst"]] = chip.hard_reset
    for word in (b"pn532", b"reader"):
        link.handlers[word] = chip.told


def _wiegand(wiring):
    from lab_parts.wiegand import Wiegand

    link.handlers[b"wiegand"] = Wiegand(wiring["d0"], wiring["d1"]).told


_readers = {"mfrc522": _mfrc522, "pn532": _pn532, "wiegand": _wiegand}
