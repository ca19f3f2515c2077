"""Why a board starts."""

from enum import Enum


class Cause(Enum):
    """Why a board started, as `machine.reset_cause()` tells it."""

    POWER_ON = 1
    HARD = 2
    WATCHDOG = 3
    SOFT = 5
