# The relay to its safe level, before anything else: nothing of ours is imported here, so that
# no mistake elsewhere can come first.

import json

from machine import Pin

try:
    with open("/config.json") as file:
        _pins = json.load(file)["pins"]
    for _name in ("strike", "padlock"):
        _relay = _pins.get(_name)
        # A servo has no level that would be safe: without pulses it stays where it is.
        if not _relay or _relay.get("driver") == "servo":
            continue
        if _relay["active"] not in (0, 1):
            raise ValueError("active is neither 0 nor 1")
        # A magnet is locked while it has current, a strike while it has none (drivers/strike.py).
        _locked = _relay["active"] ^ (_relay.get("fail") != "safe")
        # The level goes with the direction, or the output would show a wrong one for an instant.
        Pin(_relay["pin"], Pin.OUT, value=_locked)
except (OSError, ValueError, KeyError, TypeError) as error:
    # The pin stays an input, and the resistor on the relay board keeps it safe.
    print("doorward: no lock in /config.json:", error)
