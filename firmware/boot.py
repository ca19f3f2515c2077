# The relay to its safe level, before anything else: nothing of ours is imported here, so that
# no mistake elsewhere can come first.

import json

from machine import Pin

try:
    with open("/config.json") as file:
        _strike = json.load(file)["pins"]["strike"]
    if _strike["active"] not in (0, 1):
        raise ValueError("active is neither 0 nor 1")
    # A magnet is locked while it has current, a strike while it has none (drivers/strike.py).
    _locked = _strike["active"] ^ (_strike.get("fail") != "safe")
    # The level goes with the direction, or the output would show a wrong one for an instant.
    Pin(_strike["pin"], Pin.OUT, value=_locked)
except (OSError, ValueError, KeyError, TypeError) as error:
    # The pin stays an input, and the resistor on the relay board keeps it safe.
    print("doorward: no strike in /config.json:", error)
