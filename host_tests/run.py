# Runs test files under MicroPython: micropython host_tests/run.py FILE...
#
# A test is a plain function named test_*, or an async one; it fails by raising. The same files
# run under pytest, except those in on_board/, which need a board's own asyncio and drivers.

import asyncio
import gc
import sys

import uctypes

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
# As a board does: what stays must not lie scattered between what does not.
gc.threshold(65536)
sys.path[:0] = [HERE, HERE + "/../firmware", HERE + "/../lab/shim"]

import lab_parts  # noqa: E402 - from the path above
from lab_parts import wrapping  # noqa: E402 - ditto

# A chip's clock and the memory that a reset leaves alone (doorward_lab/rtc.py), of a chip that has just got power.
RTC = bytearray(8 + 2 + 2048)
lab_parts.rtc_at = uctypes.addressof(RTC)  # pyright: ignore[reportAttributeAccessIssue]

# An ESP32's ticks wrap every 12.4 days. Here they do so while a test runs, in every test that takes
# so long.
WRAP_MS = 100


def tests_in(module):
    found = [name for name in dir(module) if name.startswith("test_")]
    return [(name, getattr(module, name)) for name in sorted(found)]


def run(path):
    # The number of tests that failed in this file; -1 if it has none.
    folder, name = path.rsplit("/", 1) if "/" in path else (".", path)
    sys.path.insert(0, folder)
    wrapping.install(0)  # before the test's modules take the ticks they find
    module = __import__(name[: -len(".py")])
    failed = 0
    tests = tests_in(module)
    for name, test in tests:
        try:
            wrapping.install((1 << 30) - WRAP_MS)
            asyncio.new_event_loop()
            waiting = test()
            if waiting is not None:
                asyncio.run(waiting)
            print("ok", name)
        except Exception as error:  # noqa: BLE001 - a test may fail in any way
            failed += 1
            print("FAILED", name)
            sys.print_exception(error)
    return failed if tests else -1


results = [run(path) for path in sys.argv[1:]]
sys.exit(1 if not results or any(results) else 0)
