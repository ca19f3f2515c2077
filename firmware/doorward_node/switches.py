# What else a door may have: an exit button, and a switch that sees its lid. Loaded where there is one.

from doorward_drivers import debounce


def of(pins, doorway):
    # pins: by part. Functions of now, for every tick of the door. A button that is held, or a lid
    # that is off, while the board starts was not seen to change.
    looks = []
    if "rex" in pins:
        looks.append(_when_on(pins["rex"], doorway.leave))
    if "tamper" in pins:
        looks.append(_when_on(pins["tamper"], lambda now: doorway.log("tamper", {})))
    return looks


def _when_on(settings, act):
    part = debounce.make(settings)

    def look(now):
        if part.sample() and part.on:
            act(now)

    return look
