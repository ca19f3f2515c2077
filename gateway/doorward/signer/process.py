"""The signer as a process of its own: nobody but its user reads the keys, and who may ask is the kernel's to say."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from types import FrameType

import structlog

from doorward import local_socket
from doorward.errors import AlreadyRunning, KeyFileError
from doorward.file_lock import FileLock, lock_file
from doorward.signer import calls
from doorward.signer.frames import Frames
from doorward.signer.signer import Signer

_log = structlog.get_logger(__name__)

_CONNECTIONS = 64  # of one gateway, that has a few threads; never a way to take all our memory
_SWITCH_S = 0.0005  # as the gateway's: a cache in the making must not keep a tap waiting
_PR_SET_DUMPABLE = 4
_NOTABLE = {b"adopt", b"forget", b"certify_server", b"next_key", b"sign_export", b"sign_firmware"}
_SHOWN = 200


class SignerServer:
    """Answers the calls of `calls` on a listening Unix socket, for peers of the allowed uids; a thread a connection."""

    def __init__(self, signer: Signer, listener: socket.socket, allowed: Collection[int]) -> None:
        self._signer = signer
        self._listener = listener
        self._allowed = frozenset(allowed)
        self._open: set[Frames] = set()
        self._closing = False

    def run(self) -> None:
        """Serve until `close`, or until a signal handler raises."""
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                if self._closing:
                    return
                raise
            uid = local_socket.peer_uid(connection)
            if uid not in self._allowed or len(self._open) >= _CONNECTIONS:
                _log.warning("signer.refused", uid=uid, connections=len(self._open))
                connection.close()
                continue
            frames = Frames(connection)
            self._open.add(frames)
            threading.Thread(target=self._serve, args=(frames,), daemon=True).start()

    def close(self) -> None:
        """End every connection; what is being done is done, and nothing more is."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in `accept`
        self._listener.close()
        for frames in tuple(self._open):
            frames.shut_down()

    def _serve(self, frames: Frames) -> None:
        try:
            while True:
                frames.send(self._answer(frames.receive()))
        except OSError:
            pass  # the gateway is gone, or was never one
        finally:
            self._open.discard(frames)
            frames.close()

    def _answer(self, question: bytes) -> bytes:
        name, _space, arguments = question.partition(b" ")
        if name in _NOTABLE:
            # Whoever takes the gateway over may have these made: it shall be seen afterwards. No secret is in it.
            _log.info(
                "signer.asked",
                call=name.decode(),
                about=arguments[:_SHOWN].decode("utf-8", "replace"),
            )
        try:
            return calls.perform(self._signer, question)
        except Exception:  # noqa: BLE001 - one bad question must not end the thread without a word
            _log.exception("signer.failed")
            return calls.FAULT


def serve(
    directory: Path,
    socket_path: Path,
    allowed: Collection[int],
    group: int | None,
    ready: Callable[[], None],
) -> None:
    """Serve the keys in `directory` until SIGINT or SIGTERM. Raises StartupError leaves.

    `allowed`: uids that may ask, beside our own. `group`: the gid whose members may open the socket. `ready` is
    called when it listens.
    """
    _keep_memory_private()
    sys.setswitchinterval(_SWITCH_S)
    with _hold(directory):
        signer = Signer(directory)
        listener = local_socket.listen(socket_path, group=group)
        server = SignerServer(signer, listener, {os.geteuid(), *allowed})
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, _stop)
        try:
            ready()
            server.run()
        except _Stopped:
            pass
        finally:
            server.close()
            socket_path.unlink(missing_ok=True)


class _Stopped(BaseException):
    """A signal said that it is time to go."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise _Stopped


def _keep_memory_private() -> None:
    """No core file, and no debugger of the same user: keys lie in this memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _hold(directory: Path) -> FileLock:
    """Keep a second signer out of `directory`."""
    path = directory / "signer.lock"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return lock_file(path)
    except BlockingIOError:
        raise AlreadyRunning(f"another signer uses {directory} already", "stop it") from None
    except OSError as error:
        raise KeyFileError(
            f"{error.filename} cannot be used ({error.strerror})", "run as the user who owns it"
        ) from error
