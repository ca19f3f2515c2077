# Puts the board together, once. The supervisor forgets this module afterwards.

import sys
from time import ticks_ms

from doorward_core import topics
from doorward_core.seal import Keys
from doorward_node import files
from doorward_node.clock import Clock
from doorward_node.credentials import Credentials
from doorward_node.journal import Journal
from doorward_node.link import Link
from doorward_node.session import Session


def assemble(config, lock, build, directory=""):
    # The App. config: as config.load() returns it; lock: what the supervisor watches; build: of the
    # board's role; directory: where the board keeps its files.
    # The largest single piece first, while the heap is in one piece.
    link = _link(config, directory)
    now = ticks_ms()
    session = Session(_keys(config["id"], config["key_epoch"], config["key"], config["former_key"]))
    clock = Clock(now)
    journal = Journal(directory + "/log", session.keys, lambda: clock.stamp(ticks_ms()))
    credentials = Credentials(directory, session.keys)
    prefix = topics.device_topic(config["base"], config["id"], "")
    app, reader = build(
        config, lock, directory, (prefix, session, clock, journal, credentials), now
    )
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
    _forget_makers()
    return app


def _forget_makers():
    # Every part is made; what made them is heap, too.
    for name in sys.modules:
        if name.startswith("doorward_drivers.") and hasattr(sys.modules[name], "make"):
            del sys.modules[name].make  # pyright: ignore[reportAttributeAccessIssue]


def _listener(link, app, prefix):
    # What makes the link the app's own.
    def listen():
        link.callback = app.on_message
        link.will = (prefix + topics.OFFLINE, b'{"status":"offline"}', True, 1)
        for suffix in (
            topics.ACCESS_RESPONSE,
            topics.TIME_RESPONSE,
            topics.EVENTS_ACK,
            topics.CONTROL,
            topics.REKEY,
            topics.CACHE,
            topics.CONFIG,
        ):
            link.filters.append((prefix + suffix, 1))

    return listen


def _link(config, directory):
    broker = config["broker"]
    return Link(
        config["id"],
        broker["host"],
        broker["port"],
        config["id"],
        config["secret"],
        ssl=_tls(config["tls"], broker["name"]),
        names=_names(broker["host"], directory),
    )


def _names(host, directory):
    # None for an address: then the code that looks names up is not loaded either.
    if host.rsplit(".", 1)[-1].isdigit():
        return None
    from doorward_node.names import Names

    return Names(host, directory + "/broker")


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


def _wifi(settings):
    # None where something else brings the network: then its code is not loaded either.
    if not settings:
        return None
    from doorward_node.wifi import Wifi

    return Wifi(settings)
