# What a board is: one module a role, of which the one in config.json is loaded, and forgotten again.
#
# lock(config) makes what the supervisor watches from the first instant on: a drivers.strike.Strike.
# build(config, lock, directory, (prefix, session, clock, journal, credentials), now) makes the rest:
# (app.App, what reads cards or codes, for App.attach).

import doorward_drivers


def signals(pins, log):
    # What tells people, where the board has a light or a buzzer; else its code is not loaded either.
    if "led" not in pins and "buzzer" not in pins:
        return None
    from doorward_node.signals import Signals

    led = doorward_drivers.make("led", pins.get("led"))
    return Signals(led, doorward_drivers.make("buzzer", pins.get("buzzer")), log)
