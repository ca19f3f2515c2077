# lab_start.py  Power-on of a virtual board: wire, parts and flash, then /boot.py and /main.py as an ESP32 runs them.
#
# Arguments: socket fd; in pieces, a line each: flash image, reset cause, unique id in hex, what runs, wiring as JSON.
# Few pieces: an argument is a name for MicroPython, and the table of names is heap that a board has not.
# What runs: "main" is both, "boot" not /main.py, "prompt" neither, and the prompt comes next; "for ever" is both on a
# board without a serial port, which stays there.
# It runs from a ROMFS at /.chip (doorward_lab/launch.py).
import gc
import os
import sys
from time import sleep_ms

import vfs
from micropython import const

import lab_parts
import machine
from lab_parts import flash, link
from lab_parts.flash import FileFlash

_SOFT_RESET = const(5)
# The names that an update or a self-test brings. With the shim's own, which no chip has, they make a door need the next
# table of names: 7 KiB in one piece, which a heap in use may not have. So a virtual door gets it while it starts.
_NAMES_TO_COME = const(60)


def _power_on(cause, identity, what, wiring):
    from lab_parts.power_on import connect

    link.open_fd(int(sys.argv[1]))
    link.handlers[b"pin"] = _pin
    link.handlers[b"heap"] = _heap
    link.handlers[b"modules"] = _modules
    link.handlers[b"cut"] = _flash.told
    link.handlers[b"stall"] = _flash.slow
    link.handlers[b"wifi"] = _wifi
    link.handlers[b"fault"] = _fault
    machine.cause = int(cause)
    machine.identity = bytes.fromhex(identity)
    ticks = connect(wiring)
    if ticks is not None:
        import asyncio  # noqa: F401 - see wrapping.py

        from lab_parts import wrapping

        wrapping.install(ticks)
    vfs.umount("/")
    vfs.mount(_flash, "/")
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib", "/.chip"]  # the last: what firmware imports late
    sys.argv[:] = []
    del sys.modules["lab_parts.power_on"], lab_parts.power_on
    for number in range(_NAMES_TO_COME):
        getattr(sys, "~%d" % number, None)
    return what


def _pin(words):
    # pin N LEVEL: the world changes an input
    number, level = int(words[1]), int(words[2])
    pin = machine.pins.get(number)
    if pin:
        pin.change(level)
    else:
        machine.levels[number] = level


def _wifi(words):
    # wifi CODE SSID KEY: the air is so now; the last two in hex, "-" for any
    machine.air[:] = [int(words[1])] + [
        None if word == b"-" else bytes.fromhex(word.decode()).decode() for word in words[2:]
    ]


def _heap(words):
    gc.collect()
    figures = (gc.mem_alloc(), gc.mem_free(), _flash.reads, _flash.programs, _flash.erases)
    link.send(b"heap %d %d %d %d %d" % figures)


def _fault(words):
    from lab_parts import faults

    faults.told(words)


def _modules(words):
    for name in sys.modules:  # one line each, as the heap may be nearly full
        link.send(b"module " + name.encode())
    link.send(b"modules")


def _run(name, names):
    # A real board runs the file if it is there, and prints what it raised: then, False. sys.exit() is
    # a soft reset.
    try:
        with open(name) as file:
            code = compile(file.read(), name, "exec")
    except OSError:
        return True
    except SyntaxError as error:
        sys.print_exception(error)
        return False
    del file
    try:
        exec(code, names)  # noqa: S102 - as a board does
    except SystemExit:
        link.restart(_SOFT_RESET)
    except BaseException as error:  # noqa: BLE001 - as a board does
        sys.print_exception(error)
        return False
    return True


_image, *_told = "".join(sys.argv[2:]).split("\n", 4)
_flash = FileFlash(_image)
if "dwlog.img" in os.listdir(_image.rsplit("/", 1)[0]):
    from lab_parts.partition import Nor

    flash.partitions.append(Nor(_image.rsplit("/", 1)[0] + "/dwlog.img", _flash))
    del Nor
_what = _power_on(*_told)
del _power_on, _told, _image
gc.collect()
_names = {"__name__": "__main__"}
if _what != "for ever":
    _names = __import__("__main__").__dict__  # what the program leaves there is seen at the prompt
    for _name in ("sys", "uctypes", "vfs"):
        _names.pop(_name)
try:
    link.send(b"up %d %d" % (gc.mem_alloc(), gc.mem_alloc() + gc.mem_free()))
    if _what != "prompt" and _run("boot.py", _names) and _what != "boot":
        _run("main.py", _names)
except (
    KeyboardInterrupt
) as _error:  # from here on one may come, also before the program's first line
    sys.print_exception(_error)
if _what == "for ever":
    print("lab: the program has ended; a real board would show its prompt now")
    while True:
        link.poll()
        sleep_ms(50)
print("\0doorward lab: prompt\0", end="")  # doorward_lab/prompt.py
