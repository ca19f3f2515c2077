# What a board is: one module a role, of which the one in config.json is loaded, and forgotten again.
#
# lock(config) makes what the supervisor watches from the first instant on: a drivers.strike.Strike. It may
# leave something for build() in the config, under a name of its own: "build" belongs to start.py.
# build(config, lock, directory, (prefix, session, clock, journal), now) makes the rest:
# (app.App, what reads cards or codes, for App.attach).

import doorward_drivers


def signals(pins, log):
    # What tells people, where the board has a light or a buzzer; else its code is not loaded either.
    if "led" not in pins and "buzzer" not in pins:
        return None
    from doorward_node.signals import Signals

    led = doorward_drivers.make("led", pins.get("led"))
    return Signals(led, doorward_drivers.make("buzzer", pins.get("buzzer")), log)


def has_keys(pins):
    # A Wiegand reader may have some.
    return "keypad" in pins or pins.get("reader", {}).get("driver") == "wiegand"


def inputs(config, app, told):
    # What App watches as its reader: the reader, or without one the keypad. told: signals(), for its keys.
    pins = config["pins"]
    keypad = watch = None
    if "keypad" in pins:
        driver = pins["keypad"]["driver"]
        keypad = doorward_drivers.make("keypad" if driver == "matrix" else driver, pins["keypad"])
    if "reader" in pins:
        from doorward_node.reader import ReaderWatch

        driver = pins["reader"].get("driver", "mfrc522")
        chip = doorward_drivers.make(driver, pins["reader"])
        watch = ReaderWatch(chip, config["poll_ms"], app.on_card, app.on_reset)
        if driver == "wiegand" and not keypad:
            keypad = chip  # it may have keys of its own
    if keypad:
        from doorward_node.code_entry import CodeEntry

        app.keypad = CodeEntry(keypad, app.on_card, told)
    return watch or app.keypad
