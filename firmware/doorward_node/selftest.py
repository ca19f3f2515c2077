# The board looks at itself, because the gateway asks: raw readings, one message a part. What they
# mean is the gateway's to say. Loaded for that, and forgotten afterwards, with its own parts one
# after the other: they need not fit beside each other.
#
# Everything here waits for whoever stands at the door, and moves nothing. Where the lock is to be
# watched somebody releases it as always, from afar.

import asyncio
import gc
import json
import os
from errno import ETIMEDOUT
from time import ticks_ms

from doorward_core import topics
from doorward_core.compat import const, ticks_diff
from doorward_core.messages import encode
from doorward_node import CONFIG, files, forget

# For all of it; the gateway waits a little longer.
_PATIENCE_MS = const(20000)
_TURN_MS = const(25)
_ECHO_MS = const(500)
_TRIAL_SIZE = const(256)
_TRIAL = "/selftest"


async def run(app, command_id, parameters):
    # app: app.App. parameters: "watch" (ms): the lock alone is watched, for so long; "near": pins
    # beside the reader's own that its select wire may be on.
    result = "failed"
    try:
        report = Report(app, command_id)
        task = _watch if parameters.get("watch") else _all
        await task(report, parameters)
        result = "done"
    except (OSError, ValueError, TypeError, KeyError, MemoryError) as error:
        print("doorward: self-test:", type(error).__name__, error)
    finally:
        app.commands.testing = None
        forget("selftest")
    app.answer(command_id, result)
    gc.collect()


class Report:
    # What has been found out goes out at once: nothing is kept.
    def __init__(self, app, command_id):
        self.app = app
        self._command_id = command_id
        self._began = ticks_ms()
        with open(CONFIG) as file:
            self.pins = json.load(file)["pins"]

    def say(self, part, data):
        body = encode({"command_id": self._command_id, "part": part, "data": data})
        self.app.say(topics.COMMANDS_ACK, body)

    async def turn(self, ms=_TURN_MS):
        # Lets time pass, and whoever stands at the door go first. Raises OSError when all of it takes
        # too long. (asyncio.wait_for would load a module that stays.)
        await asyncio.sleep_ms(ms)
        while self.app.taps.pending():
            await asyncio.sleep_ms(ms)
        if ticks_diff(ticks_ms(), self._began) > _PATIENCE_MS:
            raise OSError(ETIMEDOUT)


async def _all(report, parameters):
    report.say("board", _board(report.app))
    await report.turn()
    report.say("flash", _flash())
    for name in ("inputs", "reader"):
        gc.collect()
        part = __import__("doorward_node.selftest_" + name, None, None, ("look",))
        try:
            await part.look(report, parameters)
        finally:
            forget("selftest_" + name)
    await _broker(report)


async def _watch(report, parameters):
    from doorward_node import selftest_lock

    try:
        await selftest_lock.look(report, parameters)
    finally:
        forget("selftest_lock")


def _board(app):
    gc.collect()
    now = ticks_ms()
    return {
        "heap": gc.mem_free(),
        "stall": app.stall,
        "uptime": app.clock.uptime(now),
        "clock": app.clock.utc(now) is not None,
        "rssi": app.wifi.signal() if app.wifi else None,
        "resets": app.reader.resets,
        "tls": app.link._ssl is not None,  # noqa: SLF001 - a part of the app that is seldom needed
    }


def _flash():
    # Room in KiB, and whether what is read is what was written: "errno" of a write that failed.
    stat = os.statvfs("/")
    data: "dict[str, object]" = {"free": stat[0] * stat[3] >> 10, "size": stat[0] * stat[2] >> 10}
    pattern = bytes(range(_TRIAL_SIZE))
    started = ticks_ms()
    try:
        files.replace(_TRIAL, pattern)
        data["same"] = files.read(_TRIAL) == pattern
    except OSError as error:
        data["errno"] = error.errno
    data["ms"] = ticks_diff(ticks_ms(), started)
    for name in (_TRIAL, _TRIAL + ".new"):
        files.remove(name)
    return data


async def _broker(report):
    # What only the gateway may say, said by the board: with rules that hold, nothing comes back.
    # That it hears the gateway at all shows that it was granted what it listens to.
    app = report.app
    before = app.session.refused
    app._send(topics.ACCESS_RESPONSE, b"selftest", False, 1)  # noqa: SLF001 - as above
    started = ticks_ms()
    while ticks_diff(ticks_ms(), started) < _ECHO_MS:
        await report.turn()
    report.say("broker", {"echoes": app.session.refused - before})
