# A door: strike and reader, and what else there is of contact, exit button and lid switch.

import doorward_drivers
from doorward_core.door import Settings
from doorward_node.app import App
from doorward_node.backoff import Backoff
from doorward_node.doorway import Doorway
from doorward_node.reader import ReaderWatch
from doorward_node.taps import Taps


def lock(config):
    from doorward_drivers import strike

    return strike.make(config["pins"]["strike"], config["door"]["cap_s"] * 1000)


def build(config, strike, directory, common, now):
    prefix, session, clock, journal, credentials = common
    pins = config["pins"]
    times = config["door"]
    settings = Settings(times["strike_s"] * 1000, times["cap_s"] * 1000, times["held_s"] * 1000)
    contact = doorward_drivers.make("contact", pins.get("contact"))
    doorway = Doorway(strike, contact, settings, journal.add, now)
    doorway.rex = doorward_drivers.make("debounce", pins.get("rex"))
    doorway.tamper = doorward_drivers.make("debounce", pins.get("tamper"))
    if credentials.config:
        doorway.apply(credentials.config)
    gate = Backoff(0, journal.add)
    taps = Taps(0, session, credentials, clock, doorway, journal.add, gate)
    app = App(prefix, session, clock, journal, credentials, doorway, taps, now)
    chip = doorward_drivers.make(pins["reader"].get("driver", "mfrc522"), pins["reader"])
    return app, ReaderWatch(chip, config["poll_ms"], app.on_card, app.on_reset)
