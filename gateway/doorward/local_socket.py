"""Unix sockets: who may open one, and who is at its other end."""

import os
import socket
import struct
from pathlib import Path

from doorward.errors import StartupError

_LONGEST_PATH = 107  # of a Unix socket, by the kernel
_UCRED = struct.Struct("3i")  # pid, uid, gid


def listen(path: Path, *, group: int | None = None) -> socket.socket:
    """A listening socket that our own user alone can open, and the members of `group`. What a dead process left goes.

    Raises StartupError.
    """
    if len(str(path).encode()) > _LONGEST_PATH:
        raise StartupError(
            f"{path} is too long for a socket", "choose a shorter --data or --socket"
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        sock.bind(str(path))
        if group is not None:
            os.chown(path, -1, group)
        # Nobody can connect before it listens: there is no instant with another mode.
        path.chmod(0o600 if group is None else 0o660)
        sock.listen()
    except OSError as error:
        sock.close()
        raise StartupError(
            f"cannot listen on {path} ({error.strerror})", "check its directory's owner and mode"
        ) from error
    return sock


def peer_uid(connection: socket.socket) -> int:
    """The uid of the process at the other end when it connected, as the kernel saw it."""
    said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _pid, uid, _gid = _UCRED.unpack(said)
    return int(uid)
