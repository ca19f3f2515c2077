# The last word: starts the app, feeds the watchdog, and turns any failure into a safe reset.

import asyncio
import sys
from time import sleep_ms, ticks_ms

import machine
from doorward_core.compat import const, ticks_diff
from doorward_node import CONFIG, FAILURE, FLIGHT, files, flight, forget

_STEP_MS = const(100)
_WATCHDOG_MS = const(5000)
_SHORTEST_MS = const(1000)
# As long as one of the app's loops is silent the watchdog is not fed; after so many looks in a row
# the board starts again by itself, and can still say why. One look is not enough: a long stall ends
# with whoever happens to have the first turn.
_LOOKS = const(10)
# The strike's own limit lies between the door machine's and the watchdog's.
_STRIKE_MARGIN_MS = const(250)
# A board that fails at once again must not wear its flash or flood the log.
_RESET_PAUSE_MS = const(1000)
# flight.py has its codes.
_FAILED = const(2)


def main(trial: bool = False, path: str = CONFIG) -> None:
    # Runs the board until it fails; then the relay is safe and the board starts again. trial: this
    # firmware has to prove itself (trial.py).
    from doorward_node import start

    config, strike = start.prepare(path)
    if strike is None:
        # Starting again would not help: boot.py has made the relay safe, and it stays so.
        return
    loop = asyncio.get_event_loop()
    loop.set_exception_handler(lambda _loop, context: _fail(strike, context["exception"]))
    try:
        app = start.go(config, strike, trial)
        forget("start")
        del start, config, loop  # heap, too
        asyncio.run(_watch(app, strike))
    except KeyboardInterrupt:
        # Somebody at the serial port: nothing enforces the strike's limit any more.
        strike.de_energise()
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the relay is made safe
        _fail(strike, error)


async def _watch(app, strike):
    limit = strike.cap_ms - _STRIKE_MARGIN_MS
    period = min(_WATCHDOG_MS, strike.cap_ms // 2)
    if period < _SHORTEST_MS:
        period = _WATCHDOG_MS  # a pulse: it is over long before anything else may stall
    watchdog = machine.WDT(timeout=period)
    looks = 0
    while True:
        if strike.enforce(limit):
            raise RuntimeError("strike: energised for longer than its limit")
        if app.wants_restart():
            machine.reset()
        silent = _silent(app.watched)
        looks = looks + 1 if silent else 0
        if silent and looks >= _LOOKS:
            raise RuntimeError(silent + ": silent")
        # Fed only as long as a hang right after this could not outlast the strike's cap.
        energised = strike.energised_ms()
        if not silent and (not energised or energised + period <= strike.cap_ms):
            watchdog.feed()
        await asyncio.sleep_ms(_STEP_MS)


def _silent(watched):
    # The name of a loop that has not reported for too long; None when all have.
    now = ticks_ms()
    for name, loop, report, limit_ms in watched:
        if ticks_diff(now, getattr(loop, report)) >= limit_ms:
            return name
    return None


def _fail(strike, error):
    strike.de_energise()
    sys.print_exception(error)
    try:
        flight.note(_FAILED)
        files.replace(FAILURE, (type(error).__name__ + ": " + str(error))[:120].encode())
        from doorward_node import crash

        crash.save(FLIGHT, flight.buffer)
    except (OSError, MemoryError):
        pass  # a full flash or heap must not keep the board from starting again
    sleep_ms(_RESET_PAUSE_MS)
    machine.reset()
