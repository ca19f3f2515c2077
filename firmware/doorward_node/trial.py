# A new firmware proves itself: loaded in the slot that is on trial, and by nobody else.
#
# Healthy: for ten seconds without a break the link is up, the reader's loop turns, and the gateway
# has answered a question of this start (the time, sealed to a nonce): so it was heard, it was
# understood, and it understands. Not healthy within ten minutes: the old firmware again.

import asyncio
from time import ticks_ms

import machine
from doorward_core.compat import const, ticks_diff
from doorward_node import files

_STEADY_S = const(10)
_DEADLINE_S = const(600)
_SILENCE_MS = const(2000)


async def prove(app, root=""):
    # Confirms the slot, or falls back. Before that the loader counts every start.
    from doorward_node import updated

    updated.note(root)
    steady = 0
    for _ in range(_DEADLINE_S):
        await asyncio.sleep_ms(1000)
        steady = steady + 1 if _healthy(app) else 0
        if steady >= _STEADY_S and _settle(root, 0):
            print("doorward: update: confirmed")
            updated.tell(app.journal, root)
            return
    lacking = "link" if not app.link.up else "time"
    files.replace(root + "/failure", b"update: no health in 600 s: " + lacking.encode())
    _settle(root, 2)
    machine.reset()


def _healthy(app):
    now = ticks_ms()
    return (
        app.link.up
        and app.clock.utc(now) is not None
        and ticks_diff(now, app.reader.alive) < _SILENCE_MS
    )


def _settle(root, at):
    # The slot for good: at 0 the one on trial, at 2 the one before. False if that cannot be written.
    words = (files.read(root + "/slot") or b"").split()
    if len(words) != 5:
        return True
    try:
        files.replace(root + "/slot", b" ".join(words[at : at + 2]))
    except OSError:
        return False
    return True
