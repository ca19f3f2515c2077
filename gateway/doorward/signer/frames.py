"""Questions and answers on a stream: four bytes of length, then as many bytes."""

import contextlib
import socket

LONGEST = 64 * 1024 * 1024  # a cache for a hundred thousand cards has a tenth of it
_HEAD = 4
_CHUNK = 65536


class Frames:
    """One end of a connection. Raises OSError (TimeoutError, ConnectionError) when the other does not go along."""

    def __init__(self, sock: socket.socket) -> None:
        """Take over a connected socket. Whatever time-out it has counts for each read and write."""
        self.socket = sock
        self._rest = b""

    def send(self, content: bytes) -> None:
        self.socket.sendall(len(content).to_bytes(_HEAD, "big") + content)

    def receive(self) -> bytes:
        """The next frame. Raises ConnectionError at the end of the stream and for one that is too long."""
        head = self._read(_HEAD)
        length = int.from_bytes(head, "big")
        if length > LONGEST:
            raise ConnectionError("a frame that is too long")
        return self._read(length)

    def shut_down(self) -> None:
        """End the stream for both ends, and wake whoever waits for it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.socket.close()

    def _read(self, length: int) -> bytes:
        parts, missing = [self._rest], length - len(self._rest)
        while missing > 0:
            part = self.socket.recv(_CHUNK)
            if not part:
                raise ConnectionResetError("the other end is gone")
            parts.append(part)
            missing -= len(part)
        content = b"".join(parts)
        self._rest = content[length:]
        return content[:length]
