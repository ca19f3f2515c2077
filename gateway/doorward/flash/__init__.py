"""Firmware, wiring and keys onto a board over USB, so that whenever the cable is pulled the board has a whole firmware.

What runs on the computer is here, what runs on the board is in `scripts` and in doorward_node/install.py. The order is
the point: keys wait on disk until the board has them, files go into the slot that is not in use and are read back on
the board, and only then renames put them in their places.
"""

from doorward.flash.errors import FlashError, Stopped
from doorward.flash.job import Gateway, Job, Result, Seen
from doorward.flash.plan import Options
from doorward.flash.port import find
from doorward.flash.tools import chosen
from doorward.flash.wifi import Wifi

__all__ = [
    "FlashError",
    "Gateway",
    "Job",
    "Options",
    "Result",
    "Seen",
    "Stopped",
    "Wifi",
    "chosen",
    "find",
]
