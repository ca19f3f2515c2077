# power_on.py  What is soldered to which pin of this board. Used once, then forgotten (lab_start).
import json

import machine
from lab_parts import link


def connect(pins):
    # pins: the "pins" of /config.json, as JSON.
    pins = json.loads(pins)
    contact = pins.get("contact")
    if contact:
        machine.levels[contact["pin"]] = contact["closed"]
    reader = pins.get("reader")
    if reader:
        from lab_parts.mfrc522 import MFRC522

        chip = MFRC522()
        machine.buses[reader["spi"]] = chip
        machine.parts[reader["cs"]] = chip.select
        if reader.get("rst") is not None:
            machine.parts[reader["rst"]] = chip.hard_reset
        for word in (b"card", b"nocard", b"reader"):
            link.handlers[word] = chip.told
