# Puts the board together, once. The supervisor forgets this module afterwards.

import sys
from time import ticks_ms

from doorward_core import topics
from doorward_core.compat import const
from doorward_core.seal import Keys
from doorward_node import FAILURE, FLIGHT, files, flight, forget
from doorward_node.clock import Clock
from doorward_node.journal import Journal
from doorward_node.link import Link
from doorward_node.session import Session
from esp32 import Partition
from machine import RTC, WDT_RESET, reset_cause

# flight.py has its codes.
_STARTED = const(1)
_SILENCE_MS = const(2000)
# The link sleeps for up to 8 s between two attempts.
_SLOW_MS = const(20000)
_LEAST_SECTORS = const(4)


def assemble(config, lock, build, directory=""):
    # The App. config: as config.load() returns it; lock: what the supervisor watches; build: of the
    # board's role; directory: where the board keeps its files.
    date = _date(config, directory)
    # The largest single piece first, while the heap is in one piece.
    link = _link(config, directory)
    now = ticks_ms()
    session = Session(_keys(config["id"], config["key_epoch"], config["key"], config["former_key"]))
    clock = Clock(now, ticks_ms)
    journal = Journal(_store(directory), session.keys, clock.stamp_now)
    prefix = topics.device_topic(config["base"], config["id"], "")
    app, reader = build(config, lock, directory, (prefix, session, clock, journal), now)
    wifi = _wifi(config.get("wifi"), link)
    claim = config.get("claim")
    claimed = directory + "/claimed"
    if claim and files.read(claimed) != claim.encode():
        from doorward_node.claim import Claim

        own = _own(app, prefix)
        app.attach(reader, Claim(config, claimed, session, link, app, own), wifi)
    else:
        link.callback, link.will, link.filters = _own(app, prefix)  # pyright: ignore[reportAttributeAccessIssue]
        app.attach(reader, link, wifi)
    app.date = date
    app.watched = _watched(app, reader, link, wifi)
    _forget_makers()
    data = _boot_data()
    journal.add("boot", data)
    if (files.read(directory + "/update") or b"")[-1:] in (b"a", b"b"):
        from doorward_node import updated

        updated.tell(journal, directory, str(data.get("failure") or ""))
        forget("updated")
    _begin_recording(journal.add)
    return app


def _watched(app, reader, link, wifi):
    # As App.watched; the link itself, also while a claim stands before it.
    watched = [
        ("door", app, "alive", _SILENCE_MS),
        ("background", app, "turned", _SILENCE_MS),
        ("reader", reader, "alive", _SILENCE_MS),
        ("link", link, "alive", _SLOW_MS),
    ]
    if wifi:
        watched.append(("wifi", wifi, "alive", _SLOW_MS))
    if app.keypad and app.keypad is not reader:
        watched.append(("keypad", app.keypad, "alive", _SILENCE_MS))
    return tuple(watched)


def _store(directory):
    # Where the log is kept. With a partition of its own an event costs one program of the flash, in a
    # file fourteen and an erase.
    found = Partition.find(Partition.TYPE_DATA, label="dwlog")
    if found and found[0].ioctl(4, 0) >= _LEAST_SECTORS:
        from doorward_node.ring import Ring

        return Ring(found[0])
    from doorward_node.segments import Segments

    return Segments(directory + "/log")


def _begin_recording(log):
    from doorward_node import crash

    cause = reset_cause()
    memory = RTC().memory
    try:
        crash.tell(FLIGHT, cause == WDT_RESET, memory(), log)
    except MemoryError:
        pass  # the door comes first
    forget("crash")
    flight.begin(ticks_ms, memory)
    flight.note(_STARTED, cause)


def _boot_data():
    data: "dict[str, object]" = {"cause": reset_cause()}
    note = files.read(FAILURE)
    if note:
        files.remove(FAILURE)
        data["failure"] = note.decode()
    return data


def _forget_makers():
    # Every part is made; what made them is heap, too.
    for name in sys.modules:
        if name.startswith("doorward_drivers."):
            for maker in ("make", "pin"):
                if hasattr(sys.modules[name], maker):
                    delattr(sys.modules[name], maker)


def _own(app, prefix):
    # What makes the link the app's own: its callback, its will and its filters. No function of
    # this module: that would keep all of it.
    suffixes = (
        topics.ACCESS_RESPONSE,
        topics.TIME_RESPONSE,
        topics.EVENTS_ACK,
        topics.CONTROL,
        topics.REKEY,
        topics.CACHE,
        topics.FIRMWARE,
        topics.CONFIG,
    )
    will = (prefix + topics.OFFLINE, b'{"status":"offline"}', True, 1)
    return app.on_message, will, [(prefix + suffix, 1) for suffix in suffixes]


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


def _date(config, directory):
    # None for a board that verifies nobody: then its code is not loaded either.
    if not config["tls"]:
        return None
    from doorward_node import dates

    path = directory + "/date"
    dates.begin(path, config.get("date", 0))
    forget("dates")
    return path


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


def _wifi(settings, link):
    # None where something else brings the network: then its code is not loaded either.
    if not settings:
        return None
    from doorward_node.wifi import Wifi

    wifi = Wifi(settings)
    wifi.link = link
    return wifi
