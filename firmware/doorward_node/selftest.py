# The board looks at itself, because the gateway asks: raw readings, one message a part. What they
# mean is the gateway's to say. Loaded for that, and forgotten afterwards; so is each of its parts, a
# file selftest_*.py with look(report, parameters), so that they need not fit beside each other.
#
# Everything here waits for whoever stands at the door, and moves nothing. Where the lock is to be
# watched somebody releases it as always, from afar.

import asyncio
import gc
import json
from errno import ETIMEDOUT
from time import ticks_ms

from doorward_core import topics
from doorward_core.compat import const, ticks_diff
from doorward_core.messages import encode
from doorward_node import CONFIG, forget

# For all of it; the gateway waits a little longer.
_PATIENCE_MS = const(20000)
_TURN_MS = const(25)
# Free before a part is loaded, and so much of it in one piece: what it takes, and what the door needs
# beside it.
_ROOM = const(5120)
_PIECE = const(512)


async def run(app, command_id, parameters):
    # app: app.App. parameters: "watch" (ms): the lock alone is watched, for so long; "near": pins
    # beside the reader's own that its select wire may be on.
    result = "failed"
    try:
        report = Report(app, command_id)
        for name in (
            ("lock",) if parameters.get("watch") else ("board", "inputs", "reader", "wires")
        ):
            await _look(name, report, parameters)
        result = "done"
    except Exception as error:  # noqa: BLE001 - whatever it is, the door goes on
        print("doorward: self-test:", type(error).__name__, error)
    finally:
        app.commands.testing = None
        forget("selftest")
    gc.collect()
    app.answer(command_id, result)


async def _look(name, report, parameters):
    if name == "wires" and not report.silent:
        return
    gc.collect()
    if gc.mem_free() < _ROOM:
        raise MemoryError(str(gc.mem_free()))  # here rather than where it would be the door's
    bytearray(_PIECE)
    name = "selftest_" + name
    part = __import__("doorward_node." + name, None, None, ("look",))
    try:
        await part.look(report, parameters)
    finally:
        forget(name)


class Report:
    # What has been found out goes out at once; a reader that says nothing is kept for "wires".
    silent = None

    def __init__(self, app, command_id):
        self.app = app
        self._command_id = command_id
        self._began = ticks_ms()

    def pins(self):
        # Read anew for each part: it is more than any of them keeps.
        with open(CONFIG) as file:
            return json.load(file)["pins"]

    def say(self, part, data):
        body = encode({"command_id": self._command_id, "part": part, "data": data})
        gc.collect()
        self.app.say(topics.COMMANDS_ACK, body)

    async def turn(self, ms=_TURN_MS):
        # Lets time pass, and whoever stands at the door go first. Raises OSError when all of it takes
        # too long. (asyncio.wait_for would load a module that stays.)
        await asyncio.sleep_ms(ms)
        while self.app.taps.pending():
            await asyncio.sleep_ms(ms)
        if ticks_diff(ticks_ms(), self._began) > _PATIENCE_MS:
            raise OSError(ETIMEDOUT)

    async def between_polls(self, job):
        # Has job(chip) run by the task that polls the reader, before its next poll or start.
        watch = self.app.reader
        turn = Turn(watch.reader, job)
        watch.reader = turn
        try:
            while turn.job:
                await self.turn()
        finally:
            watch.reader = turn.chip


class Turn:
    # In the reader's place until its turn has come.
    def __init__(self, chip, job):
        self.chip = chip
        self.job = job

    async def start(self):
        await self._run()
        await self.chip.start()

    async def poll(self):
        await self._run()
        return await self.chip.poll()

    def healthy(self):
        return self.chip.healthy()

    async def _run(self):
        if self.job:
            try:
                await self.job(self.chip)
            finally:
                self.job = None
