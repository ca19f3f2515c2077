# The short way to a new copy of who may pass: what has changed since the one in force. Loaded while
# there is one; see credentials.py, and doorward_core.records_delta for its format.
#
# Once all of it is here, those whom it names pass no more. Then, a piece a turn, a new copy is made
# out of the old one and it.

# pyright: reportOptionalMemberAccess=false

import hashlib
import os
import struct

from doorward_core import cache_messages
from doorward_core.compat import const
from doorward_node import files

_ASK_AGAIN_S = const(3)
_HEADER = const(36)
_TAG = const(12)
_BEGINNING = const(3)
# Of records_delta: more of them find no room.
_MOST_TAGS = const(160)
_LITERAL = const(0xFFFFFFFF)
_NEW_HEADER = const(80)
_MAC = const(16)
# Written in one turn, and at a time.
_STEP = const(4096)
_READ = const(256)


class Delta:
    # path: of the copy in force; version: of that copy. makes: the version that comes of it, 0 as long
    # as not all of it is here. useless: the gateway has none, or what is here is none.
    def __init__(self, path: str, version: int) -> None:
        self._path = path + ".delta"
        self._old = path
        self._new = path + ".new"
        self._from = version
        self.makes = 0
        self.useless = False
        self._asked: "int | None" = None
        self._chunk: "tuple[int, bytes] | None" = None
        self._total = 0
        self._steps = None  # the file, open once all of it is here
        head = self._head()
        self._received = os.stat(self._path)[6] if head else 0
        self._begin(head)

    # --- pulling ---

    def want(self, version: int, uptime: int) -> "bytes | None":
        # The body that asks for the next piece on the way to this version, when that is due.
        if self._chunk or self.makes or self.useless:
            return None
        if self._asked is not None and uptime < self._asked + _ASK_AGAIN_S:
            return None
        self._asked = uptime
        return cache_messages.cache_wanted(version, self._received, self._from)

    def take(self, offset: int, total: int, data: bytes, base: int) -> None:
        # Keeps a verified piece in RAM until step().
        if base != self._from:
            self.useless = True  # the gateway sends the whole
        elif offset == self._received and data:
            self._chunk = offset, data
            self._total = total

    def store(self, version: int) -> None:
        # Writes a piece; looks at the whole once it is here. Raises OSError.
        if self._received and not self._is_for(version):
            self._received = 0  # of a version that is over
            self._chunk = None
        if not self._chunk:
            return
        offset, data = self._chunk
        with open(self._path, "ab" if offset else "wb") as file:
            file.write(data)
        self._received += len(data)
        self._asked = self._chunk = None
        if self._received >= self._total:
            self._begin(self._head())
            self.useless = not self.makes

    def remove(self) -> None:
        if self._steps:
            self._steps.close()
            self._steps = None
        self.makes = 0
        files.remove(self._path)

    def _head(self):
        # (version it is for, version it makes, tags, bytes of steps, digest); None if it is no use here.
        try:
            with open(self._path, "rb") as file:
                data = file.read(_HEADER)
        except OSError:
            return None
        if len(data) == _HEADER and data[:4] == b"DWD1":
            head = struct.unpack(">IIII16s", data[4:])
            if head[0] == self._from < head[1]:
                return head
        return None

    def _is_for(self, version: int) -> bool:
        head = self._head()
        # Less than a header: so far it is anybody's.
        return head[1] == version if head else os.stat(self._path)[6] < _HEADER

    def _begin(self, head) -> None:
        # Whether all of it is here, and what it should be.
        if not head or self._received != _HEADER + head[2] * _TAG + head[3] or head[2] > _MOST_TAGS:
            return
        digest = hashlib.sha256(b"")
        file = open(self._path, "rb")  # noqa: SIM115 - stays open: a look-up reads it
        file.seek(_HEADER)
        self._beginnings = bytearray(head[2] * _BEGINNING)
        for at in range(0, len(self._beginnings), _BEGINNING):
            data = file.read(_TAG)
            digest.update(data)
            self._beginnings[at : at + _BEGINNING] = data[:_BEGINNING]
        data = file.read(_READ)
        while data:
            digest.update(data)
            data = file.read(_READ)
        self._steps = file
        if digest.digest()[:16] == head[4]:
            self.makes = head[1]
            self._tags = head[2]
            self._restart()

    # --- in force ---

    def names(self, mark: bytes) -> bool:
        # Whether this tag is one of those that it takes back. The beginnings are in RAM: for who is
        # none of them the flash is not read.
        low, high = 0, self._tags
        while low < high:
            middle = (low + high) // 2
            if self._begins(middle) < mark[:_BEGINNING]:
                low = middle + 1
            else:
                high = middle
        while low < self._tags and self._begins(low) == mark[:_BEGINNING]:
            self._steps.seek(_HEADER + low * _TAG)
            if self._steps.read(_TAG) == mark:
                return True
            low += 1
        return False

    def _begins(self, place: int) -> bytearray:
        return self._beginnings[place * _BEGINNING : (place + 1) * _BEGINNING]

    # --- making the new copy ---

    def _restart(self) -> None:
        self._at = _HEADER + self._tags * _TAG
        self._source = self._left = self._made = 0
        self._digest = hashlib.sha256(b"")
        self._wanted = b""
        self._tail = b""

    def step(self) -> bool:
        # Makes some more of the new copy: True once it is there, and is what its own header says.
        # Raises OSError if there is no room, or if it is not.
        size = 0
        with open(self._new, "ab" if self._made else "wb") as new, open(self._old, "rb") as old:
            while size < _STEP:
                data = self._next(old)
                if not data:
                    if self._digest.digest()[:16] != self._wanted:
                        raise OSError("delta")
                    return True
                self._account(data)
                new.write(data)
                size += len(data)
        return False

    def _next(self, old) -> bytes:
        # The next few bytes; none at the end.
        file = self._steps
        file.seek(self._at)
        if not self._left:
            head = file.read(8)
            if len(head) < 8:
                return b""
            self._source, self._left = struct.unpack(">II", head)
            self._at += 8
        size = min(self._left, _READ)
        if not self._made:
            size = min(self._left, _NEW_HEADER)  # the header in one piece
        self._left -= size
        if self._source == _LITERAL:
            self._at += size
            data = file.read(size)
        else:
            old.seek(self._source)
            self._source += size
            data = old.read(size)
        if len(data) != size:
            raise OSError("delta")
        return data

    def _account(self, data: bytes) -> None:
        # The digest in the header is over all between it and the MAC, which is the last sixteen.
        if not self._made:
            self._wanted = data[_NEW_HEADER - 16 :]
        else:
            self._tail += data
            self._digest.update(self._tail[:-_MAC])
            self._tail = self._tail[-_MAC:]
        self._made += len(data)
