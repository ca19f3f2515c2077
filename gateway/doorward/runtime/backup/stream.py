"""Bytes under a passphrase: any length, in pieces, each of which is authentic or is not handed out.

A file is a header and chunks. The header is 47 bytes, big-endian: the magic with the format's version, Argon2id's
memory (KiB), passes and lanes, its salt, and how many bytes of plain text a chunk holds. The key that Argon2id makes
(RFC 9106, 32 bytes) belongs to this file alone, because the salt does. A chunk is sealed with ChaCha20-Poly1305
(RFC 8439); its nonce is its number, and in the last byte whether it is the last one; the header is the additional data
of every chunk. So what is cut off, moved or added is noticed like what is changed. This is the STREAM construction of
Hoang, Reyhanitabar, Rogaway and Vizár (2015), as `age` has it.
"""

import os
import struct
from typing import BinaryIO, NamedTuple

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from doorward.errors import BackupError, WrongPassphrase

MAGIC = b"doorward backup 1\n"
_HEADER = struct.Struct(">18sIIB16sI")
_TAG = 16
_CHUNK = 64 * 1024
# What a header may ask of us: it is read before anything about it is known to be true.
_MOST_MEMORY = 1024 * 1024  # KiB
_MOST_PASSES = 100
_MOST_LANES = 64
_MOST_CHUNK = 16 * 1024 * 1024


class Cost(NamedTuple):
    """What a guess at the passphrase costs: the second choice of RFC 9106, for machines with little memory."""

    memory: int = 64 * 1024
    passes: int = 3
    lanes: int = 4


USUAL = Cost()


class Writer:
    """A file to write plain text to. Only `finish` makes it a whole one."""

    def __init__(self, file: BinaryIO, passphrase: str, cost: Cost = USUAL) -> None:
        """Write the header."""
        salt = os.urandom(16)
        self._file = file
        self._header = _HEADER.pack(MAGIC, *cost, salt, _CHUNK)
        self._cipher = _cipher(passphrase, cost, salt)
        self._number = 0
        self._held = bytearray()
        file.write(self._header)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take more plain text."""
        self._held += data
        # One chunk is always held back: the last one is sealed as the last.
        while len(self._held) > _CHUNK:
            self._seal(bytes(self._held[:_CHUNK]), last=False)
            del self._held[:_CHUNK]
        return len(data)

    def finish(self) -> None:
        """Seal what is held back, as the last chunk."""
        self._seal(bytes(self._held), last=True)

    def _seal(self, plain: bytes, *, last: bool) -> None:
        nonce = _nonce(self._number, last=last)
        self._file.write(self._cipher.encrypt(nonce, plain, self._header))
        self._number += 1


class Reader:
    """A file to read the plain text from. The end is reached only when the last chunk was there."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        """Read the header and the first chunk. Raises BackupError, WrongPassphrase."""
        self._file = file
        self._header = file.read(_HEADER.size)
        if len(self._header) != _HEADER.size or not self._header.startswith(MAGIC):
            raise BackupError("this is no backup of doorward", "name another file")
        _, memory, passes, lanes, salt, self._chunk = _HEADER.unpack(self._header)
        cost = Cost(memory, passes, lanes)
        _check(cost, self._chunk)
        self._cipher = _cipher(passphrase, cost, salt)
        self._number = 0
        self._plain = b""
        self._done = False
        self._sealed = file.read(self._chunk + _TAG)
        self._open_next()

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, fewer only at the end; all of them without. Raises BackupError."""
        taken = bytearray()
        while size < 0 or len(taken) < size:
            if not self._plain:
                if self._done:
                    break
                self._open_next()
                continue
            piece = self._plain if size < 0 else self._plain[: size - len(taken)]
            self._plain = self._plain[len(piece) :]
            taken += piece
        return bytes(taken)

    def _open_next(self) -> None:
        """Open the chunk at hand, and read the one behind it: it tells whether this one has to be the last."""
        behind = self._file.read(self._chunk + _TAG)
        last = not behind
        try:
            nonce = _nonce(self._number, last=last)
            self._plain = self._cipher.decrypt(nonce, self._sealed, self._header)
        except InvalidTag as error:
            raise self._refused() from error
        self._sealed, self._done = behind, last
        self._number += 1

    def _refused(self) -> BackupError:
        if self._number == 0:
            return WrongPassphrase(
                "the passphrase does not open this backup, or its beginning is damaged",
                "try again, or take another backup",
            )
        return BackupError("the backup is damaged or cut off", "take another one")


def _cipher(passphrase: str, cost: Cost, salt: bytes) -> ChaCha20Poly1305:
    key = hash_secret_raw(
        passphrase.encode(),
        salt,
        time_cost=cost.passes,
        memory_cost=cost.memory,
        parallelism=cost.lanes,
        hash_len=32,
        type=Type.ID,
    )
    return ChaCha20Poly1305(key)


def _check(cost: Cost, chunk: int) -> None:
    bounds = (
        (cost.lanes, 1, _MOST_LANES),
        (cost.passes, 1, _MOST_PASSES),
        (cost.memory, 8 * cost.lanes, _MOST_MEMORY),
        (chunk, 1, _MOST_CHUNK),
    )
    if not all(low <= value <= high for value, low, high in bounds):
        raise BackupError("the beginning of the backup is damaged", "take another one")


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
