# Puts the door board together, once. The supervisor forgets this module afterwards.

from time import ticks_ms

from doorward_core import topics
from doorward_core.door import Settings
from doorward_core.seal import Keys
from doorward_node import files
from doorward_node.app import App
from doorward_node.backoff import Backoff
from doorward_node.clock import Clock
from doorward_node.credentials import Credentials
from doorward_node.doorway import Doorway
from doorward_node.journal import Journal
from doorward_node.link import Link
from doorward_node.reader import ReaderWatch
from doorward_node.session import Session
from doorward_node.taps import Taps


def assemble(config, strike, directory=""):
    # The App. config: as config.load() returns it; directory: where the board keeps its files.
    link = _link(config)  # the largest single piece first, while the heap is in one piece
    now = ticks_ms()
    pins = config["pins"]
    session = Session(_keys(config["id"], config["key_epoch"], config["key"], config["former_key"]))
    clock = Clock(now)
    journal = Journal(directory + "/log", session.keys, lambda: clock.stamp(ticks_ms()))
    credentials = Credentials(directory, session.keys)
    doorway = Doorway(
        strike, _part("contact", pins.get("contact")), _settings(config["door"]), journal.add, now
    )
    if credentials.config:
        doorway.apply(credentials.config)
    gate = Backoff(0, journal.add)
    taps = Taps(0, session, credentials, clock, doorway, journal.add, gate)
    prefix = topics.device_topic(config["base"], config["id"], "")
    app = App(prefix, session, clock, journal, credentials, doorway, taps, now)
    driver = pins["reader"].get("driver", "mfrc522")
    chip = _part(driver, pins["reader"])
    reader = ReaderWatch(chip, config["poll_ms"], app.on_card, app.on_reset)
    listen = _listener(link, app, prefix)
    wifi = _wifi(config.get("wifi"))
    claim = config.get("claim")
    claimed = directory + "/claimed"
    if claim and files.read(claimed) != claim.encode():
        from doorward_node.claim import Claim

        app.attach(reader, Claim(config, claimed, session, link, app, listen), wifi)
    else:
        listen()
        app.attach(reader, link, wifi)
    return app


def _listener(link, app, prefix):
    # What makes the link the app's own.
    def listen():
        link.set_callback(app.on_message)
        link.set_last_will(prefix + topics.OFFLINE, b'{"status":"offline"}', True, 1)
        for suffix in (
            topics.ACCESS_RESPONSE,
            topics.TIME_RESPONSE,
            topics.EVENTS_ACK,
            topics.CONTROL,
            topics.REKEY,
            topics.CACHE,
            topics.CONFIG,
        ):
            link.subscribe_later(prefix + suffix, 1)

    return listen


def _link(config):
    broker = config["broker"]
    return Link(
        config["id"],
        broker["host"],
        broker["port"],
        config["id"],
        config["secret"],
        ssl=_tls(config["tls"], broker["name"]),
    )


def _tls(folder, name):
    # None for a board that talks to its own machine: then its code is not loaded either.
    if not folder:
        return None
    from doorward_node.tls_transport import Tls

    return Tls(folder, name)


def _keys(device, epoch, key, former):
    keys = Keys(device, key, epoch)
    if former:
        keys.former = Keys(device, former, epoch - 1)
    return keys


def _settings(door):
    # As installed: they hold until the gateway has said others.
    return Settings(door["strike_s"] * 1000, door["cap_s"] * 1000, door["held_s"] * 1000)


def _wifi(settings):
    # None where something else brings the network: then its code is not loaded either.
    if not settings:
        return None
    from doorward_node.wifi import Wifi

    return Wifi(settings)


def _part(driver, settings):
    # The part that this driver makes of its dict under "pins"; None if the board has none.
    # Only a driver that is asked for is loaded, and its make() is needed once.
    if not settings:
        return None
    module = __import__("doorward_drivers." + driver, None, None, ("make",))
    part = module.make(settings)
    del module.make
    return part
