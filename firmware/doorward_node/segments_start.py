# What is left of a log in files when the board starts. Loaded for that, and forgotten: segments.py.

import binascii
import os

from doorward_core import seal
from doorward_core.compat import urandom
from doorward_node import files


def start(directory: str) -> "tuple[str, list[int], int, bool, tuple[int, bytes], int]":
    # (epoch, first number of each segment, number of the newest event, whether half a line follows
    # it, number and digest of the last event that is no longer here, the first up to it that nobody
    # has acknowledged or 0).
    try:
        os.mkdir(directory)
    except OSError:
        pass  # it is there, or cannot be made: then there is nothing to read, either
    try:
        epoch = (files.read(directory + "/epoch") or b"").decode()
        seal.parse_freshness(seal.event_word(epoch, 0))
        return _load(directory, epoch)
    except (OSError, ValueError):
        # No log yet, no room for one, or one that is damaged.
        return _begin(directory)


def _begin(directory: str) -> "tuple[str, list[int], int, bool, tuple[int, bytes], int]":
    # A new log. Its gateway sees that, and asks people whether they know why. The door does
    # not wait for it: with a flash that takes nothing, events are lost and counted.
    epoch = binascii.hexlify(urandom(4)).decode()
    try:
        for name in os.listdir(directory):
            files.remove(directory + "/" + name)
        files.replace(directory + "/epoch", epoch.encode())
        return _load(directory, epoch)
    except OSError:
        return epoch, [], 0, False, (0, seal.CHAIN_START), 0


def _load(directory: str, epoch: str) -> "tuple[str, list[int], int, bool, tuple[int, bytes], int]":
    note = files.read(directory + "/freed")
    freed, digest, lost = 0, seal.CHAIN_START, 0
    if note:
        words = note.decode().split(" ")
        freed, digest = int(words[0]), binascii.unhexlify(words[1])
        if len(words) > 2:  # an older note has two
            lost = int(words[2])
    segments = sorted([int(name[:-4]) for name in os.listdir(directory) if name.endswith(".log")])
    path = directory + "/%08d.log"
    while len(segments) > 1 and segments[1] <= freed + 1:
        files.remove(path % segments.pop(0))
    if segments and segments[0] > freed + 1:
        raise ValueError(
            "a log without its beginning"
        )  # it would be another one under the old numbers
    newest, torn = freed, False
    if segments:
        lines, torn = _count(path % segments[-1])
        newest = segments[-1] + lines - 1
        if newest < freed:  # it goes on behind that
            newest, torn = freed, True
    return epoch, segments, newest, torn, (freed, digest), lost


def _count(path: str) -> "tuple[int, bool]":
    # (whole lines, whether half a line follows): LittleFS leaves none, other systems may.
    lines = 0
    with open(path, "rb") as file:
        line = file.readline()
        while line:
            if line[-1:] != b"\n":
                return lines, True
            lines += 1
            line = file.readline()
    return lines, False
