# lab_weigh.py  What each module of a firmware folder costs on the heap, without what it imports.
#
# Arguments: a staged folder (as flashed), the modules to import. Prints "NAME BYTES" in order of completion. The table
# of interned names doubles now and then: whichever module is loading pays for it.
import asyncio  # noqa: F401 - every board has these anyway
import builtins
import gc
import os
import sys

import esp32  # noqa: F401 - ditto
import machine  # noqa: F401 - ditto
import network  # noqa: F401 - ditto

_import = builtins.__import__
_inner = [0]  # for each module that is loading, what its own imports have taken


def _weigh(name, space=None, names=None, wanted=None, level=0):
    if name not in sys.modules and (_is_module(name) or _is_module(name + ".__init__")):
        gc.collect()
        before = gc.mem_alloc()
        _inner.append(0)
        _import(name)
        gc.collect()
        taken = gc.mem_alloc() - before
        print(name, taken - _inner.pop())
        _inner[-1] += taken
    for item in wanted or ():  # `from package import module` loads the module without asking us
        if _is_module(name + "." + item):
            _weigh(name + "." + item)
    return _import(name, space, names, wanted, level)  # pyright: ignore[reportArgumentType]


def _is_module(name):
    try:
        os.stat(sys.path[0] + "/" + name.replace(".", "/") + ".mpy")
    except OSError:
        return False
    return True


sys.path[:] = [sys.argv[1], ".frozen"]
gc.collect()
_start = gc.mem_alloc()
builtins.__import__ = _weigh
for _name in sys.argv[2:]:
    _weigh(_name)
gc.collect()
print("all", gc.mem_alloc() - _start)
