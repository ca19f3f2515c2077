# lab_start.py  Power-on of a virtual board: wire, parts and flash, then /boot.py and /main.py as an ESP32 runs them.
#
# Arguments: socket fd, flash image, reset cause, unique id in hex, wiring as JSON.
import gc
import json
import os
import sys
import vfs
from time import sleep_ms

import machine
import network
import esp32
from lab_parts import link, wiring
from lab_parts.flash import FileFlash


def _power_on(fd, image, cause, uid, pins):
    link.open_fd(int(fd))
    machine._cause = int(cause)
    machine._unique_id = bytes.fromhex(uid)
    wiring.connect(json.loads(pins))
    flash = FileFlash(image)
    vfs.umount("/")
    vfs.mount(flash, "/")
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.argv[:] = []

    def report(words):
        # heap: what lives on it, and what the flash has done
        gc.collect()
        link.send(b"heap %d %d %d %d %d" % (gc.mem_alloc(), gc.mem_free(), flash.reads, flash.programs, flash.erases))

    link.handlers["heap"] = report


def _compiled(name):
    try:
        with open(name) as file:
            return compile(file.read(), name, "exec")
    except OSError:
        return None


def _run(name, names):
    # A real board runs the file if it is there, prints what it raised and goes on; sys.exit() is a soft reset.
    try:
        code = _compiled(name)
        if code:
            exec(code, names)
    except SystemExit:
        machine._restart(machine.SOFT_RESET)
    except BaseException as error:
        sys.print_exception(error)


_power_on(*sys.argv[1:])
gc.collect()
link.send(b"up %d %d" % (gc.mem_alloc(), gc.mem_alloc() + gc.mem_free()))
_names = {"__name__": "__main__"}
_run("boot.py", _names)
_run("main.py", _names)
print("lab: the program has ended; a real board would show its prompt now")
while True:
    link.poll()
    sleep_ms(50)
