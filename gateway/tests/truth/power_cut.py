"""A disk that loses what was not synced, rebuilt from what a process asked of the kernel.

`strace` writes down every change to the files of one folder, every sync, and every packet that left. At any moment of
such a trace `Disk` knows what a power cut may leave behind: what a completed fsync covered is there, and of everything
after it each 512-byte sector, each size and each directory entry is there or not, as the dice fall. That is more than
any file system loses, and less is not promised by POSIX.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SYSCALLS = (
    "openat,open,creat,close,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,msync,"
    "truncate,ftruncate,fallocate,unlink,unlinkat,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,"
    "copy_file_range,sendfile,sendto,sendmsg"
)
# -yy: what a descriptor stands for; -xx: data and paths in hex, so that nothing is escaped in two ways.
STRACE = (
    "strace",
    "-f",
    "-yy",
    "-xx",
    "-s",
    "16777216",
    "-e",
    f"trace={SYSCALLS}",
    "-e",
    "signal=none",
)

_SECTOR = 512
_CALL = re.compile(rb"^(\d+) +(\w+)\((.*)$")
_RESUMED = re.compile(rb"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_FILE = re.compile(rb"^(?:\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})+)>")
_SOCKET = re.compile(rb"^\d+<TCP[^:]*:\[.*:(\d+)\]>")
_NUMBERS = re.compile(rb", (\d+)")


class Left(NamedTuple):
    """Bytes that left through the connection of the client at this port."""

    port: int
    data: bytes


class Call(NamedTuple):
    """One system call: `began` is False for the line that tells its end, where that is another line."""

    name: str
    arguments: bytes
    began: bool
    ended: bool


def calls(trace: Path) -> Iterator[Call]:
    """The system calls of a trace, in order; one that was interrupted by another thread's comes twice."""
    pending: dict[bytes, bytes] = {}
    with trace.open("rb") as lines:
        for line in lines:
            if found := _CALL.match(line):
                thread, name, rest = found.groups()
                if b"<unfinished ...>" in rest:
                    pending[thread] = rest
                    yield Call(name.decode(), rest, began=True, ended=False)
                elif not _failed(rest):
                    yield Call(name.decode(), rest, began=True, ended=True)
            elif (found := _RESUMED.match(line)) and found[1] in pending:
                arguments = pending.pop(found[1])
                if not _failed(found[3]):
                    yield Call(found[2].decode(), arguments, began=False, ended=True)


def _failed(rest: bytes) -> bool:
    return rest.rsplit(b"= ", 1)[-1].startswith(b"-1")


def _text(encoded: bytes) -> bytes:
    return bytes.fromhex(encoded.replace(b"\\x", b"").decode())


def _texts(arguments: bytes) -> list[bytes]:
    """What stands between quotation marks: in hex, so that there are none inside."""
    parts = arguments.split(b'"')
    assert not any(rest.startswith(b"...") for rest in parts[2::2]), "strace shortened it"
    return [_text(encoded) for encoded in parts[1::2]]


@dataclass
class _File:
    """One inode: what a sync has covered, and what was done to it since, in order."""

    durable: bytes = b""
    pending: list[tuple[int, bytes] | int] = field(
        default_factory=list
    )  # (offset, data), or a new size
    covered: int = 0  # changes that were there when the sync that is under way began

    def content(self) -> bytearray:
        return _applied(bytearray(self.durable), self.pending)

    def sync_began(self) -> None:
        self.covered = len(self.pending)

    def sync_ended(self) -> None:
        self.durable = bytes(_applied(bytearray(self.durable), self.pending[: self.covered]))
        del self.pending[: self.covered]
        self.covered = 0

    def after_a_cut(self, dice: random.Random) -> bytes:
        """Each sector and each new size on its own is there or not."""
        fate = dice.choice((0.0, 0.5, 0.9))
        kept: list[tuple[int, bytes] | int] = []
        for change in self.pending:
            if isinstance(change, int):
                kept += [change] * (dice.random() < fate)
                continue
            offset, data = change
            for at, part in _sectors(offset, data):
                if dice.random() < fate:
                    kept.append((at, part))
        return bytes(_applied(bytearray(self.durable), kept))


def _sectors(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        end = at + _SECTOR - (offset + at) % _SECTOR
        yield offset + at, data[at:end]
        at = end


def _applied(content: bytearray, changes: list[tuple[int, bytes] | int]) -> bytearray:
    for change in changes:
        if isinstance(change, int):
            del content[change:]
            content.extend(bytes(change - len(content)))
        else:
            offset, data = change
            content.extend(bytes(max(0, offset + len(data) - len(content))))
            content[offset : offset + len(data)] = data
    return content


class Disk:
    """The files of one folder, which was empty when the trace began."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder.resolve())
        self._files: dict[str, _File] = {}  # as the process sees them
        self._entries: dict[str, _File] = {}  # as a sync of the folder has left them
        self.syncs = 0
        self.writes: Counter[str] = Counter()

    def feed(self, call: Call) -> Left | None:
        """Take one system call; returns what it sent, if it sent anything over TCP."""
        if call.name in {"sendto", "sendmsg", "write", "writev"} and call.began:
            found = _SOCKET.match(call.arguments)
            if found:
                return Left(int(found[1]), b"".join(_texts(call.arguments)))
        name = self._name(call)
        if name is None or name.endswith("-shm"):
            return None  # the index of the WAL is memory that happens to have a name: rebuilt after a cut
        handler = {
            "openat": self._open,
            "pwrite64": self._write,
            "write": self._append,
            "rename": self._rename,
            "fsync": self._sync,
            "fdatasync": self._sync,
            "ftruncate": self._truncate,
            "unlink": self._unlink,
            "close": lambda _name, _call: None,
        }.get(call.name)
        assert handler, (
            f"{call.name} of {name}: this disk does not know what a power cut makes of it"
        )
        handler(name, call)
        return None

    def after_a_cut(self, dice: random.Random) -> dict[str, bytes]:
        """What is found when the power is back."""
        found = {}
        for name in sorted({*self._files, *self._entries}):
            entry = dice.choice((self._files.get(name), self._entries.get(name)))
            if entry is not None:
                found[name] = entry.after_a_cut(dice)
        return found

    def _name(self, call: Call) -> str | None:
        """The file's name in the folder, "" for the folder, None for what is elsewhere."""
        if call.name in {"openat", "unlink", "rename"}:
            path = _texts(call.arguments)[0].decode()
        else:
            found = _FILE.match(call.arguments)
            if found is None:
                return None
            path = _text(found[1]).decode(errors="replace")
        if path == self._folder:
            return ""
        head, _, name = path.removesuffix(" (deleted)").rpartition("/")
        return name if head == self._folder else None

    def _open(self, name: str, call: Call) -> None:
        if not name or not call.ended:
            return
        assert b"O_TRUNC" not in call.arguments
        if b"O_CREAT" in call.arguments and name not in self._files:
            self._files[name] = _File()

    def _write(self, name: str, call: Call) -> None:
        if call.began:
            (data,) = _texts(call.arguments)
            rest = call.arguments[call.arguments.rindex(b'"') :]
            self._files[name].pending.append((int(_NUMBERS.findall(rest)[1]), data))
            self.writes[name] += 1

    def _append(self, name: str, call: Call) -> None:
        """For files that are written once, from their beginning to their end."""
        if call.began:
            (data,) = _texts(call.arguments)
            file = self._files[name]
            file.pending.append((len(file.content()), data))

    def _rename(self, name: str, call: Call) -> None:
        if call.ended:
            to = _texts(call.arguments)[1].decode()
            self._files[to.rpartition("/")[2]] = self._files.pop(name)

    def _truncate(self, name: str, call: Call) -> None:
        if call.began:
            self._files[name].pending.append(int(_NUMBERS.findall(call.arguments)[0]))

    def _unlink(self, name: str, call: Call) -> None:
        if call.ended:
            self._files.pop(name, None)

    def _sync(self, name: str, call: Call) -> None:
        if not name:
            if call.ended:
                self._entries = dict(self._files)
            return
        if call.began:
            self._files[name].sync_began()
        if call.ended:
            self._files[name].sync_ended()
            self.syncs += 1
