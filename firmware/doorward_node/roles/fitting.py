# The parts beside a lock, or without one. Apart: a plain door or vault has none, and loads no name of theirs.

import doorward_drivers
from doorward_node.roles import signals


def fit(app, pins, directory, now):
    # Each loaded if the board has it.
    light = None
    if "lamp" in pins:
        from doorward_node.light import Light

        button = doorward_drivers.make("debounce", pins.get("button"))
        lamp = doorward_drivers.make("lamp", pins["lamp"])
        light = Light(lamp, button, directory + "/light", now)
        app.commands.more["set_light"] = light.command
        app.parts += (light,)
        app.states += (light,)
    if "pir" in pins:
        from doorward_node.motion import Motion

        motion = Motion(doorward_drivers.make("pir", pins["pir"]), light, app)
        app.parts += (motion,)
        app.states += (motion,)
    if not app.battery:
        app.battery = doorward_drivers.make("battery", pins.get("battery"))
    if not app.doorway.tamper:
        app.doorway.tamper = doorward_drivers.make("debounce", pins.get("tamper"))
    if app.doorway is app.taps:
        told = signals(pins, app.journal.add)
        if told:
            told.attach(app, now)
