# Puts another firmware into the slot that is not in use, and switches to it for a trial. Loaded
# for that only, and alone: needs nothing else of ours, so that a board without any firmware can be
# given this file first (over USB).
#
#   /update.json    the manifest of what is to come; there for as long as an update is under way
#   /a, /b          the slots; one with a manifest.json is complete
#   /slot           "b 0": slot and epoch in use. "a 1 b 0 3": a (epoch 1) on trial, see /main.py
#
# A manifest is JSON with one file a line, in ascending order, so that it never has to be in the
# heap as a whole. First line: an object up to its last key "files" and the bracket behind it, with
# version, epoch, family, mpy and size (of all files, in bytes); then ["path",size,"sha256"] with a
# comma in each line; last line: the two brackets.
#
# Whenever the power goes, /slot names a complete firmware: the other slot loses its manifest.json
# before its first file changes, and has it again when all files were read back.

import binascii
import hashlib
import json
import os
import sys

FAMILY = "esp32"
# Starts that a new firmware has to prove itself.
TRIES = 3
ORDER = "/update.json"

_ROOMS = ("doorward_core/", "doorward_drivers/", "doorward_node/")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_/."
_FOLDER = 0x4000
# Read, hashed and copied at a time: the door's loop has its turn between two.
_PIECE = 1024
_LONGEST_LINE = 160
# Bytecode without native code is the same for all boards; only its version has to fit.
_MPY = getattr(sys.implementation, "_mpy", 6) & 0xFF


class InstallError(ValueError):
    # The word says what is wrong with the firmware: "manifest", "family", "mpy", "epoch", or
    # "current": it is in use already; "digest": a file came three times and never was the right one;
    # "incomplete": it cannot be switched to yet.
    pass


class Install:
    # One update, from /update.json on. Raises InstallError, OSError without that file.
    #
    # wanted: (path, offset) of the bytes to take() next, or None while it has work of its own.
    # size, done: bytes of all files, and of those that are known to be right; before: of those that
    # the manifest names before the one at hand.
    def __init__(self, root=""):
        self._root = root
        self._words = _slot_words(root)
        trial = len(self._words) == 5
        # A firmware that is on trial is not one to fall back to.
        self._used = self._words[2:4] if trial else self._words[:2]
        self.slot = "b" if self._used and self._used[0] == "a" else "a"
        self.wanted = None
        self.done = self.before = 0
        self._chunk = None
        self._ended = self._skip = False
        self._lacking = []
        head = self._check()
        self.version = head["version"]
        self.epoch = head["epoch"]
        self.size = head["size"]
        self._work = self._run()

    def _check(self):
        # The head of the manifest, after a look at every line of it.
        with open(self._root + ORDER) as order:
            head = _head(order.readline(_LONGEST_LINE))
            if head["family"] != FAMILY:
                raise InstallError("family")
            if head["mpy"] != _MPY:
                raise InstallError("mpy")
            if self._used and head["epoch"] < int(self._used[1]):
                raise InstallError("epoch")
            before, total = "", 0
            entry = _entry(order)
            while entry:
                if entry[0] <= before:
                    raise InstallError("manifest")
                before = entry[0]
                total += entry[1]
                entry = _entry(order)
            if total != head["size"] or not before or order.read(1):
                raise InstallError("manifest")
        held = self._root + "/" + self._used[0] + "/manifest.json" if self._used else ""
        if held and len(self._words) == 2 and _same(held, self._root + ORDER):
            raise InstallError("current")
        return head

    def step(self):
        # A piece of work on flash, 1 KiB at most. True once every file is there and was read back.
        # Raises InstallError, OSError when there is no room.
        if not self._ended:
            try:
                next(self._work)
            except StopIteration:
                self._ended = True
        return self._ended

    def take(self, path, offset, data):
        # Keeps the bytes that are wanted until step(); False for any others.
        if self.wanted != (path, offset) or self._chunk is not None or not data:
            return False
        self._chunk = data
        return True

    def missing(self, tick=None):
        # For who puts whole files into the slot: a list of the paths that it lacks, after all else
        # is done. Write them to /<slot>/<path>, and begin again with a new Install. tick() runs
        # between two pieces of work: a watchdog wants to be fed.
        self._lacking = []
        while not self.step():
            if tick:
                tick()
            if self.wanted:
                self._lacking.append(self.wanted[0])
                self._skip = True
        return self._lacking

    def switch(self):
        # From the next start on the new firmware runs, on trial if there is one to fall back to.
        # Raises as complete().
        _write_slot(self._root, self.complete())
        cancel(self._root)

    def complete(self):
        # The words that /slot is to say; the slot has its manifest from here on. Raises InstallError
        # unless all of it is there.
        if not self._ended or self._lacking:
            raise InstallError("incomplete")
        base = self._root + "/" + self.slot
        for _ in _copy(self._root + ORDER, base + "/manifest.new"):
            pass
        os.rename(base + "/manifest.new", base + "/manifest.json")
        words = [self.slot, str(self.epoch)]
        if self._used:
            words += self._used + [str(TRIES)]
        return words

    def close(self):
        # Ends it where it stands, with no file left open.
        self._work.close()

    # --- the work, piece by piece

    def _run(self):
        if len(self._words) == 5:
            _write_slot(self._root, self._used)
        base = self._root + "/" + self.slot
        for folder in ("", "/doorward_core", "/doorward_drivers", "/doorward_node"):
            _make(base + folder)
        _remove(base + "/manifest.json")
        yield from self._sweep("")
        with open(self._root + ORDER) as order:
            order.readline()
            entry = _entry(order)
            while entry:
                yield from self._file(*entry)
                self.before += entry[1]
                entry = _entry(order)

    def _sweep(self, folder):
        # What the manifest does not name goes: a stale .py would win over its .mpy.
        for name, kind, *_ in list(os.ilistdir(self._root + "/" + self.slot + "/" + folder)):
            path = folder + name
            if kind == _FOLDER:
                yield from self._sweep(path + "/")
                if not self._names(path + "/"):
                    os.rmdir(self._root + "/" + self.slot + "/" + path)
            elif not self._names(path + '"'):
                os.remove(self._root + "/" + self.slot + "/" + path)
            yield

    def _names(self, start):
        # Whether the manifest has a path that begins so; all of a folder's packages stay.
        if start in _ROOMS:
            return True
        with open(self._root + ORDER) as order:
            order.readline()
            line = order.readline()
            while line:
                if line.startswith('["' + start):
                    return True
                line = order.readline()
        return False

    def _file(self, path, size, digest):
        new = self._root + "/" + self.slot + "/" + path
        old = self._root + "/" + self._used[0] + "/" + path if self._used else ""
        if not (yield from _holds(new, size, digest)):
            _make_parents(new, len(self._root) + 3)
            copied = old and (yield from _holds(old, size, digest))
            if copied:
                yield from _copy(old, new)
                copied = yield from _holds(new, size, digest)
            if not copied:
                for _ in range(3):
                    if not (yield from self._fetch(path, new, size)):
                        return
                    if (yield from _holds(new, size, digest)):
                        break
                else:
                    raise InstallError("digest")
        self.done += size

    def _fetch(self, path, new, size):
        # False if it was skipped.
        offset = 0
        with open(new, "wb") as file:
            while offset < size:
                self.wanted = path, offset
                while self._chunk is None:
                    yield
                    if self._skip:
                        self._skip, self.wanted = False, None
                        return False
                data, self._chunk, self.wanted = self._chunk, None, None
                offset += file.write(data)
                yield
        return True


def cancel(root=""):
    # Whatever was under way is not wanted any more; what has come stays, and is used again.
    _remove(root + ORDER)


def _head(line):
    try:
        head = json.loads(line + "]}")
        numbers = (head["epoch"], head["mpy"], head["size"])
        # One word: it is kept in a line of them.
        (version,) = head["version"].split()
        if "family" not in head or len(version) > 32 or version != head["version"]:
            raise ValueError("head")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InstallError("manifest")
    for number in numbers:
        if not isinstance(number, int) or number < 0:
            raise InstallError("manifest")
    if line[-10:] != '"files":[\n':
        raise InstallError("manifest")
    return head


def _entry(order):
    # (path, size, digest) of the next line; None behind the last one.
    line = order.readline(_LONGEST_LINE)
    if line == "]}\n":
        return None
    try:
        path, size, digest = json.loads(line.rstrip(",\n"))
        if _is_path(path) and 0 < size < 1 << 20 and len(binascii.unhexlify(digest)) == 32:
            return path, size, digest
    except (ValueError, TypeError):
        pass
    raise InstallError("manifest")


def _is_path(path):
    # Of a .mpy file in one of our packages, and nothing that leads out of there.
    for letter in path:
        if letter not in _LETTERS:
            return False
    name = path[:-4]
    room = path[: path.find("/") + 1]
    return path[-4:] == ".mpy" and room in _ROOMS and "." not in name and "//" not in name


def _holds(path, size, digest):
    # Whether the file has exactly this content.
    try:
        if os.stat(path)[6] != size:
            return False
    except OSError:
        return False
    digested = hashlib.sha256()
    with open(path, "rb") as file:
        piece = file.read(_PIECE)
        while piece:
            digested.update(piece)
            yield
            piece = file.read(_PIECE)
    return binascii.hexlify(digested.digest()).decode() == digest


def _copy(source, target):
    with open(source, "rb") as old, open(target, "wb") as new:
        piece = old.read(_PIECE)
        while piece:
            new.write(piece)
            yield
            piece = old.read(_PIECE)


def _same(one, other):
    try:
        with open(one, "rb") as left, open(other, "rb") as right:
            piece = left.read(_PIECE)
            while piece:
                if piece != right.read(_PIECE):
                    return False
                piece = left.read(_PIECE)
            return not right.read(1)
    except OSError:
        return False


def _slot_words(root):
    # As the loader reads them; [] for a board that has no firmware yet.
    try:
        with open(root + "/slot") as file:
            return file.read().split()
    except OSError:
        return []


def _write_slot(root, words):
    with open(root + "/slot.new", "w") as file:
        file.write(" ".join(words))
    os.rename(root + "/slot.new", root + "/slot")


def _make(folder):
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it is there


def _make_parents(path, start):
    at = path.find("/", start)
    while at > 0:
        _make(path[:at])
        at = path.find("/", at + 1)


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
