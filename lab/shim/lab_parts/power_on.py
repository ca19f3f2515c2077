# power_on.py  What is soldered to which pin of this board. Used once, then forgotten (lab_start).
#
# Each part wires itself, wire(its dict under "pins"): no board carries the names of a part that it has not.
import json

import machine

# GPIOs that a chip brings out, and those that can only be read. Data sheets: ESP32-S3 2.2, ESP32-C3 2.2.
_CHIPS = {"esp32-s3": (0x1_FFFF_FC3F_FFFF, 0), "esp32-c3": (0x3F_FFFF, 0)}
_CHIPS_OF_PARTS = ("pn532", "wiegand")  # any other is what its part has by itself


def connect(wiring):
    # wiring: "pins" of /config.json, "chip", and the "ticks" that it begins with, as JSON. Returns these.
    wiring = json.loads(wiring)
    if wiring["chip"] in _CHIPS:
        machine.existing, machine.input_only = _CHIPS[wiring["chip"]]
    pins = wiring["pins"]
    for name, level in (
        ("contact", "closed"),
        ("rex", "active"),
        ("tamper", "active"),
        ("pir", "active"),
    ):
        part = pins.get(name)
        if part:
            # The door is closed, and nobody presses, opens or moves anything.
            machine.levels[part["pin"]] = part[level] if level == "closed" else 1 - part[level]
    for name, driver in (("reader", "mfrc522"), ("keypad", "keypad"), ("padlock", "padlock")):
        part = pins.get(name)
        if part:
            chip = part.get("driver")
            name = "lab_parts." + (chip if chip in _CHIPS_OF_PARTS else driver)
            module = __import__(name, None, None, ("wire",))
            module.wire(part)
    return wiring["ticks"]
