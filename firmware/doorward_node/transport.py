# A TCP connection that is waited for at its file descriptor.
#
# asyncio's streams wait on the object they read. For a TLS object that costs a millisecond a
# wait even when data is there, because the poll cannot see inside it. So what is waited for
# (the socket) and what is read and written (the stream: the socket, or TLS around it) are two
# things here, and reading is tried before waiting.

import socket
from asyncio import core  # type: ignore[attr-defined]  # the loop's own select

from doorward_core.compat import const

_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)
# Begun, and not done: 115 is Linux's number for it, 119 an ESP32's, which also says 118 while its
# Wi-Fi comes up. Who is not there after all is found out by the watchdog of the connection.
_UNDER_WAY = (115, 118, 119)


class Transport:
    # sock: what is waited for. stream: what is read and written.
    def __init__(self, sock, stream):
        self.sock = sock
        self._stream = stream

    # Awaitable: the number of bytes read into buffer, 0 when the peer has closed.
    def readinto(self, buffer):
        while True:
            count = _attempt(self._stream.readinto, buffer)
            if count is not None:
                return count
            yield core._io_queue.queue_read(self.sock)  # noqa: SLF001 - no public way to wait for a socket

    def write(self, data):
        # As much as fits at once, without waiting: the number of bytes taken.
        return _attempt(self._stream.write, data) or 0

    # Awaitable: returns when write() may take bytes again.
    def writable(self):
        yield core._io_queue.queue_write(self.sock)  # noqa: SLF001 - as above

    def close(self):
        self._stream.close()


# Awaitable: a connected Transport. Raises OSError; a peer that never answers is the caller's to
# give up on, by cancelling. host: an address; a name would be looked up here, and block.
def connect(host, port):
    sock = socket.socket()
    try:
        sock.setblocking(False)
        _no_delay(sock)
        _attempt(sock.connect, socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1])
        yield core._io_queue.queue_write(sock)  # noqa: SLF001 - as above
        transport = Transport(sock, sock)
        sock = None
        return transport
    finally:
        if sock:
            sock.close()


def _attempt(call, argument):
    # What the call returns; None where it would have to wait.
    try:
        return call(argument)
    except OSError as error:
        if error.errno not in _UNDER_WAY:
            raise


def _no_delay(sock):
    # A request must not wait for the peer's delayed ACK. Old ports do not know the option.
    try:
        sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
    except OSError:
        pass
