# Puts the board's parts together, once: start.py forgets this module afterwards.

import sys
from time import ticks_ms

from doorward_core import topics
from doorward_core.compat import const
from doorward_core.seal import Keys
from doorward_node.clock import Clock
from doorward_node.journal import Journal
from doorward_node.session import Session
from esp32 import Partition

_LEAST_SECTORS = const(4)


def assemble(config, lock, directory):
    # (App, what reads cards or codes). config: as start.prepare() returns it; its build() goes. lock:
    # what the supervisor watches; directory: where the board keeps its files.
    now = ticks_ms()
    session = Session(_keys(config["id"], config["key_epoch"], config["key"], config["former_key"]))
    clock = Clock(now, ticks_ms)
    journal = Journal(_store(directory), session.keys, clock.stamp_now)
    prefix = topics.device_topic(config["base"], config["id"], "")
    build = config.pop("build")
    made = build(config, lock, directory, (prefix, session, clock, journal), now)
    _forget_makers()
    return made


def _store(directory):
    # Where the log is kept. With a partition of its own an event costs one program of the flash, in a
    # file fourteen and an erase.
    found = Partition.find(Partition.TYPE_DATA, label="dwlog")
    if found and found[0].ioctl(4, 0) >= _LEAST_SECTORS:
        from doorward_node.ring import Ring

        return Ring(found[0])
    from doorward_node.segments import Segments

    return Segments(directory + "/log")


def _keys(device, epoch, key, former):
    keys = Keys(device, key, epoch)
    if former:
        keys.former = Keys(device, former, epoch - 1)
    return keys


def _forget_makers():
    # Every part is made; what made them is heap, too.
    for name in sys.modules:
        if name.startswith("doorward_drivers."):
            for maker in ("make", "pin"):
                if hasattr(sys.modules[name], maker):
                    delattr(sys.modules[name], maker)
