# What a board does once, as soon as it is whole: it is given its link, says why it has started, and
# begins to record. start.py forgets this module afterwards.

from time import ticks_ms

from doorward_core import topics
from doorward_core.compat import const
from doorward_node import FAILURE, FLIGHT, files, flight, forget
from machine import RTC, WDT_RESET, reset_cause

# flight.py has its codes.
_STARTED = const(1)
_SILENCE_MS = const(2000)
# The link sleeps for up to 8 s between two attempts.
_SLOW_MS = const(20000)


def open_up(app, reader, link, wifi, config, prefix, directory):
    # wifi: None where something else brings the network; prefix: of every topic of this board;
    # directory: where the board keeps its files.
    own = _own(app, prefix)
    claim = config.get("claim")
    claimed = directory + "/claimed"
    if claim and files.read(claimed) != claim.encode():
        from doorward_node.claim import Claim

        app.attach(reader, Claim(config, claimed, app.session, link, app, own), wifi)
    else:
        link.callback, link.will, link.filters = own
        app.attach(reader, link, wifi)
    app.watched = _watched(app, reader, link, wifi)
    journal = app.journal
    data = _boot_data()
    journal.add("boot", data)
    if (files.read(directory + "/update") or b"")[-1:] in (b"a", b"b"):
        from doorward_node import updated

        updated.tell(journal, directory, str(data.get("failure") or ""))
        forget("updated")
    _begin_recording(journal.add)


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


def _boot_data():
    data: "dict[str, object]" = {"cause": reset_cause()}
    note = files.read(FAILURE)
    if note:
        files.remove(FAILURE)
        data["failure"] = note.decode()
    return data


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
