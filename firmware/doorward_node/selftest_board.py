# The board itself, its flash, and what the broker lets it say. A part of selftest.py.

import gc
import os
from time import ticks_ms

from doorward_core import topics
from doorward_core.compat import const, ticks_diff
from doorward_node import files

_TRIAL = "/selftest"
_TRIAL_SIZE = const(256)
# In which what comes back from a broker has come.
_ECHO_TURNS = const(20)


async def look(report, _parameters):
    app = report.app
    now = ticks_ms()
    report.say(
        "board",
        {
            "heap": gc.mem_free(),
            "stall": app.stall,
            "uptime": app.clock.uptime(now),
            "clock": app.clock.utc(now) is not None,
            "rssi": app.wifi.signal() if app.wifi else None,
            "resets": app.reader.resets,
            "tls": app.link._ssl is not None,  # noqa: SLF001 - only this test asks
        },
    )
    await report.turn()
    data = _flash()
    data["unlogged"] = app.journal._dropped  # noqa: SLF001 - only this test asks
    data["refused"] = app.journal._pause > 0  # noqa: SLF001 - as above
    report.say("flash", data)
    report.say("broker", {"echoes": await _echoes(report, app)})


async def _echoes(report, app):
    # What only the gateway may say, said by the board: with rules that hold, nothing comes back.
    # That it hears the gateway at all shows that it was granted what it listens to. Only that message
    # is counted: what else is refused meanwhile is somebody else's.
    own = app.link.callback
    found = []

    def listen(topic, payload, retained, dup):
        if payload == topics.PROBE:
            found.append(topic)
        else:
            own(topic, payload, retained, dup)

    app.link.callback = listen
    try:
        app._send(topics.ACCESS_RESPONSE, topics.PROBE, False, 1)  # noqa: SLF001 - as above
        for _ in range(_ECHO_TURNS):
            await report.turn()
    finally:
        app.link.callback = own
    return len(found)


def _flash():
    # Room in KiB, and whether what is read is what was written: "errno" of a write that failed.
    stat = os.statvfs("/")
    # On a full disk LittleFS counts blocks twice, and less than none are free.
    free = stat[3] if stat[3] <= stat[2] else 0
    data: "dict[str, object]" = {"free": stat[0] * free >> 10, "size": stat[0] * stat[2] >> 10}
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
