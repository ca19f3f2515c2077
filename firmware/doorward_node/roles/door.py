# A door: strike, reader or keypad or both, and what else there is of contact, exit button and lid switch.

import doorward_drivers
from doorward_core.door import Settings
from doorward_node.app import App
from doorward_node.backoff import Backoff
from doorward_node.credentials import Credentials
from doorward_node.doorway import Doorway
from doorward_node.roles import has_keys, inputs, signals
from doorward_node.taps import Taps


def lock(config):
    from doorward_drivers import strike

    return strike.make(config["pins"]["strike"], config["door"]["cap_s"] * 1000)


def build(config, strike, directory, common, now):
    prefix, session, clock, journal = common
    credentials = Credentials(directory, session.keys)
    pins = config["pins"]
    times = config["door"]
    settings = Settings(times["strike_s"] * 1000, times["cap_s"] * 1000, times["held_s"] * 1000)
    contact = doorward_drivers.make("contact", pins.get("contact"))
    told = signals(pins, journal.add)
    log = told.log if told else journal.add
    doorway = Doorway(strike, contact, settings, log, now)
    doorway.rex = doorward_drivers.make("debounce", pins.get("rex"))
    doorway.tamper = doorward_drivers.make("debounce", pins.get("tamper"))
    if credentials.config:
        doorway.apply(credentials.config)
    gate = Backoff(0, log)
    if has_keys(pins):
        from doorward_node.code_guard import CodeGuard

        gate = CodeGuard(directory + "/codes", gate, now)
    taps = Taps(0, session, credentials, clock, doorway, log, gate)
    app = App(prefix, session, clock, journal, credentials, doorway, taps, now)
    if has_keys(pins):
        app.states += (gate,)  # pyright: ignore[reportAttributeAccessIssue] - it has turn() then
        app.commands.codes = gate  # pyright: ignore[reportAttributeAccessIssue] - it has release() then
    if told:
        told.attach(app, now)
    return app, inputs(config, app, told)
