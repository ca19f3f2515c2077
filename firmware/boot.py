# The relay to its safe level, before anything else: nothing of ours is imported here, so that
# no mistake elsewhere can come first. Its names are those of others: each new one is heap for ever.

import json

from machine import Pin

try:
    with open("/config.json") as file:
        pins = json.load(file)["pins"]
    for name in ("strike", "padlock"):
        part = pins.get(name)
        # A servo has no level that would be safe: without pulses it stays where it is.
        if not part or part.get("driver") == "servo":
            continue
        if part["active"] not in (0, 1):
            raise ValueError("active is neither 0 nor 1")
        # A magnet is locked while it has current, a strike while it has none (drivers/strike.py).
        level = part["active"] ^ (part.get("fail") != "safe")
        # The level goes with the direction, or the output would show a wrong one for an instant.
        Pin(part["pin"], Pin.OUT, value=level)
except (OSError, ValueError, KeyError, TypeError) as error:
    # The pin stays an input, and the resistor on the relay board keeps it safe.
    print("doorward: no lock in /config.json:", error)
