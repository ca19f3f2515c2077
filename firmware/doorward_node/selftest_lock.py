# Watches the door contact while somebody releases the lock from afar and pulls at the door.
# A part of selftest.py.

from time import ticks_ms

from doorward_core.compat import const, ticks_diff
from machine import Pin

# Looks after the release is over, 25 ms apart.
_AFTER = const(20)


async def look(report, parameters):
    # Says how the contact was while the lock held, and while it was released: how often it was
    # looked at, how often it read high, and how often it changed. first: the level to begin with.
    app = report.app
    strike = getattr(app.doorway, "strike", None)
    contact = report.pins().get("contact")
    if not strike or not contact:
        report.say("lock", {})
        return
    pin = Pin(contact["pin"])
    told = {False: [0, 0, 0], True: [0, 0, 0]}
    report.say("lock", {"watching": True})
    first = last = pin()
    started = ticks_ms()
    released = False
    left = _AFTER
    while left and ticks_diff(ticks_ms(), started) < parameters["watch"]:
        await report.turn()
        on = strike.energised_ms() > 0
        # A door that opens ends its release: what it does next is still of it.
        released = released or on
        if not on and (released or told[False][2]):
            left -= 1
        counts = told[released]
        level = pin()
        counts[0] += 1
        counts[1] += level
        counts[2] += level != last
        last = level
    report.say("lock", {"first": first, "held": told[False], "released": told[True]})
