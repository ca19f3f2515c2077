# Pulls the credential file that a new config names. Forgotten once it is here: see credentials.py.
#
# Asks for one piece after the other, from where it stopped, and checks the whole before it counts.

import binascii
import hashlib
import os

from doorward_core import board_messages, cache_messages
from doorward_core.compat import const
from doorward_node import files

_ASK_AGAIN_S = const(3)
# Read at a time when the whole is checked: the door's loop must have its turn between two.
_STEP = const(4096)
# In pieces that find room in any heap.
_READ = const(128)
# In the header of doorward_core.records.
_VERSION_ENDS = const(40)


class Pull:
    # path: what has come so far. config: the board_messages.Config that names the file.
    def __init__(self, path: str, config: board_messages.Config) -> None:
        self._path = path
        self._config = config
        self._received = self._resumable()
        self._asked: "int | None" = None
        self._chunk: "tuple[int, bytes] | None" = None
        self._hash = None  # of what has been checked: so many bytes
        self._hashed = 0

    def want(self, uptime: int) -> "bytes | None":
        # The body that asks for the next piece, when that is due. uptime in s.
        if self._chunk or self._received >= self._config.cache_size:
            return None
        if self._asked is not None and uptime < self._asked + _ASK_AGAIN_S:
            return None
        self._asked = uptime
        return cache_messages.cache_wanted(self._config.cache_version, self._received)

    def take(self, offset: int, data: bytes) -> None:
        # Keeps a verified piece in RAM until step(); ignores one that was not asked for.
        if offset == self._received and data:
            self._chunk = offset, data

    def step(self) -> bool:
        # A piece written, or up to 4 KiB of the whole checked: True once it is what the config
        # says. Raises OSError when there is no room.
        if self._chunk:
            offset, data = self._chunk
            with open(self._path, "ab" if offset else "wb") as file:
                file.write(data)
            self._received += len(data)
            self._asked = self._chunk = None
        return self._received >= self._config.cache_size and self._checked()

    def restart(self) -> None:
        # What has come is worth nothing.
        files.remove(self._path)
        self._received = 0
        self._asked = self._chunk = self._hash = None

    def _checked(self) -> bool:
        if not self._hash:
            self._hash = hashlib.sha256(b"")
            self._hashed = 0
        with open(self._path, "rb") as file:
            file.seek(self._hashed)
            for _ in range(_STEP // _READ):
                self._hash.update(file.read(_READ))
        self._hashed += _STEP
        if self._hashed < self._config.cache_size:
            return False
        digest = binascii.hexlify(self._hash.digest()).decode()
        if self._received == self._config.cache_size and digest == self._config.cache_digest:
            return True
        self.restart()
        return False

    def _resumable(self) -> int:
        # How much of this version is here already, from before the connection or power went.
        # Only a guess from the header: the whole is checked before it counts.
        try:
            with open(self._path, "rb") as file:
                head = file.read(_VERSION_ENDS)
            if int.from_bytes(head[_VERSION_ENDS - 4 :], "big") == self._config.cache_version:
                return os.stat(self._path)[6]
        except OSError:
            pass
        return 0
