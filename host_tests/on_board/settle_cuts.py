# Cuts the power at every operation of the flash while a board's last script of a flashing over USB runs:
# micropython settle_cuts.py SCRIPT [PROBE]. SCRIPT: what gateway/doorward/flash/scripts.py makes for NEWS below, or a
# mutant of it; PROBE: what a next run begins with. One line of JSON: cuts, and how often old and new were mixed.

import json
import os
import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path[:0] = [HERE + tree for tree in ("", "/..", "/../../firmware", "/../../lab/shim")]

import slots  # noqa: E402 - from the paths above

import machine  # noqa: E402 - ditto
from doorward_node import install  # noqa: E402 - ditto

ROOT = slots.ROOT
FILES = ("/config.json", "/tls/ca.der", "/tls/cert.der", "/tls/key.der")
MAIN = HERE + "/../../firmware/main.py"


class Dog:
    def __init__(self, timeout=0):
        pass

    def feed(self):
        pass


class Reset(Exception):
    pass


def reset():
    raise Reset


def content(path):
    with open(path) as file:
        return file.read()


_cells = []


def prepared():
    # A board that runs 1.0 with old settings; 2.0 and new settings are on it, and wait.
    board = slots.Board() if _cells else _made()
    if not _cells:
        _cells.append(bytes(board.flash.cells))
    board.flash.cells[:] = _cells[0]
    board.boot()
    return board


def _made():
    install.ORDER = "/update.json"
    board = slots.Board("1.0")
    board.confirm()
    os.mkdir(ROOT + "/tls")
    for path in FILES:
        board.write(path, b"old " * 300)
        board.write(path + ".usb", b"new " * 300)
    board.write("/main.py.usb", content(MAIN).encode())
    board.order("2.0")
    os.rename(ROOT + "/update.json", ROOT + "/usb.json")
    files = slots.firmware("2.0")
    work = installer()
    for path in work.missing():
        board.write("/b/" + path, files[path])
    return board


def installer():
    install.ORDER = "/usb.json"
    return install.Install(ROOT)


def on_board(source):
    # As the board would run it, if its root were ROOT.
    source = source.replace('"/', '"' + ROOT + "/").replace("'/", "'" + ROOT + "/")
    source = source.replace("+ '" + ROOT + "/' + name", "+ '/' + name")
    # The loader, of which the script runs a part, is a real one.
    below = ".split('# ---')[0]"
    source = source.replace(below, below + """.replace('"/', '"%s/')""" % ROOT)
    source = source.replace("ORDER = '" + ROOT, "ORDER = '")  # it puts its root before that itself
    return source.replace("usb_install.Install()", "usb_install.Install('" + ROOT + "')")


def run(source, board):
    install.ORDER = "/usb.json"
    try:
        exec(on_board(source), {"__name__": "__main__"})
    except (OSError, Reset):
        if not board.flash.dead:
            raise


def start(board):
    # (firmware, settings) that would run.
    try:
        source = content(ROOT + "/main.py")
    except OSError:
        source = content(MAIN)
    top = source.split("slot, trial = _pick()")[0]
    for _ in range(3):
        try:
            exec(on_board(top), {"__name__": "__main__"})
            break
        except Reset:
            pass
    with open(ROOT + "/slot") as file:
        version = board.whole(ROOT + "/" + file.read().split()[0])
    return version, tuple([content(ROOT + path)[:3] for path in FILES])


WHOLE = (("1.0", ("old",) * 4), ("2.0", ("new",) * 4))


def sweep(script, probe):
    tally = {"cuts": 0, "old": 0, "new": 0, "mixed": 0}
    for torn in (False, True):
        operation = 0
        while True:
            board = prepared()
            board.flash.left, board.flash.torn = operation, torn
            run(script, board)
            cut = board.flash.dead
            board.boot()
            if probe and operation % 2:
                run(probe, board)  # whoever comes with a cable before it could start
            found = start(board)
            place = WHOLE.index(found) if found in WHOLE else 2
            tally[("old", "new", "mixed")[place]] += 1
            tally["cuts"] += cut
            if place == 1 and not os.stat(ROOT + "/slot")[6]:
                raise ValueError("no slot")
            if not cut:
                assert place == 1, found
                break
            operation += 1
    return tally


sys.modules["usb_install"] = install
machine.WDT = Dog
machine.reset = reset
with open(sys.argv[1]) as _file:
    _script = _file.read()
_probe = ""
if len(sys.argv) > 2:
    with open(sys.argv[2]) as _file:
        _probe = _file.read()
print(json.dumps(sweep(_script, _probe)))
