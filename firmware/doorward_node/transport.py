# A TCP connection that is waited for at its file descriptor.
#
# asyncio's streams wait on the object they read. For a TLS object that costs a millisecond a
# wait even when data is there, because the poll cannot see inside it. So what is waited for
# (the socket) and what is read and written (the stream: the socket, or TLS around it) are two
# things here, and reading is tried before waiting.

import socket
from asyncio import core  # type: ignore[attr-defined]  # the loop's own select
from errno import EINPROGRESS

from doorward_core.compat import const

_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)


class Transport:
    # sock: what is waited for. stream: what is read and written.
    def __init__(self, sock, stream):
        self.sock = sock
        self._stream = stream

    # Awaitable: the number of bytes read into buffer, 0 when the peer has closed.
    def readinto(self, buffer):
        while True:
            count = self._stream.readinto(buffer)
            if count is not None:
                return count
            yield core._io_queue.queue_read(self.sock)  # noqa: SLF001 - no public way to wait for a socket

    def write(self, data):
        # As much as fits at once, without waiting: the number of bytes taken.
        return self._stream.write(data) or 0

    # Awaitable: returns when write() may take bytes again.
    def writable(self):
        yield core._io_queue.queue_write(self.sock)  # noqa: SLF001 - as above

    def close(self):
        self._stream.close()


def resolve(host, port):
    # Blocks while DNS does; a numeric address never does.
    return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]


# Awaitable: a connected Transport. Raises OSError; a peer that never answers is the caller's to
# give up on, by cancelling.
def connect(address):
    sock = socket.socket()
    try:
        sock.setblocking(False)
        _no_delay(sock)
        try:
            sock.connect(address)
        except OSError as error:
            if error.errno != EINPROGRESS:
                raise
        yield core._io_queue.queue_write(sock)  # noqa: SLF001 - as above
        transport = Transport(sock, sock)
        sock = None
        return transport
    finally:
        if sock:
            sock.close()


def _no_delay(sock):
    # A request must not wait for the peer's delayed ACK. Old ports do not know the option.
    try:
        sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
    except OSError:
        pass
