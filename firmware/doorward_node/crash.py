# What a board that failed leaves behind, and how that comes into its log. Loaded for that alone.
#
# One recording in ten minutes of life at the most: a board that fails at every start would fill its
# log with them, and its flash. <directory>/flight holds the recording, or "-" once it is told.

import binascii

from doorward_core.compat import const
from doorward_node import files

_HEAD = const(4)
_SIZE = const(6)
_COUNT = const(200)
_MINUTES = const(10)
# flight.py has its codes.
_FAILED = const(2)
# Notes in one entry of the log.
_PART = const(40)


def save(path: str, recording) -> None:
    # Called by who fails: raises nothing but OSError and MemoryError.
    if _is_due(path, recording):
        files.replace(path, recording)


def tell(path: str, hung: bool, memory: bytes, log) -> None:
    # After a start. memory: what a reset left alone of the one before; it is told of when the watchdog
    # ended that (hung), or when it failed without room to save() anything.
    recording = files.read(path) or b""
    if not _is_one(recording):
        if not _is_one(memory) or not _is_due(path, memory):
            return
        if not hung and memory[_HEAD + (memory[2] - 1) % _COUNT * _SIZE] != _FAILED:
            return
        recording = memory
    try:
        files.replace(path, b"-")
    except OSError:
        return  # it would be told again and again
    at = _HEAD + recording[2] * _SIZE
    notes = recording[at:] + recording[_HEAD:at]
    first = 0
    while first < len(notes) and not notes[first]:
        first += _SIZE
    notes = notes[first:]
    step = _PART * _SIZE
    count = (len(notes) + step - 1) // step
    for part in range(count):
        words = binascii.b2a_base64(notes[part * step : part * step + step])[:-1].decode()
        log("flight", {"part": part + 1, "of": count, "notes": words})


def _is_one(recording: bytes) -> bool:
    return len(recording) == _HEAD + _COUNT * _SIZE and recording[:2] == b"dw"


def _is_due(path: str, recording) -> bool:
    return recording[3] >= _MINUTES or files.read(path) is None
