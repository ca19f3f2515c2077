"""A paho client on our event loop: asyncio watches its socket, and paho does the protocol."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

import paho.mqtt.client as paho


class Watched:
    """Reads and writes for a client that has connected, until it is lost or stopped."""

    def __init__(
        self, client: paho.Client, on_read: Callable[[], None], on_lost: Callable[[], None]
    ) -> None:
        """`on_read` is called after every read, outside of paho's callbacks; `on_lost` when the connection ends.

        Raises ConnectionResetError for a client whose connection is gone already.
        """
        sock = client.socket()
        if sock is None:
            raise ConnectionResetError("closed before it was open")
        self.client = client
        self._sock = sock
        self._on_read = on_read
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        # Without it PUBACK and PUBLISH wait for each other's delayed ACK: 44 ms a tap.
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(sock, self._readable)
        self.write_later()

    def write_later(self) -> None:
        """Paho writes at once where it can; what the socket did not take waits until it does."""
        if self._is_open() and self.client.want_write():
            self._loop.add_writer(self._sock, self._writable)

    def stop(self) -> None:
        """Say goodbye if possible, and stop watching."""
        if not self._is_open():
            return
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self.client.disconnect()
        self.client.loop_write()
        with contextlib.suppress(OSError):
            self._sock.close()

    def _is_open(self) -> bool:
        return self.client.socket() is self._sock

    def _readable(self) -> None:
        result = self.client.loop_read()
        # What TLS has decrypted already makes no socket readable.
        while (
            result == paho.MQTT_ERR_SUCCESS
            and isinstance(self._sock, ssl.SSLSocket)
            and self._is_open()
            and self._sock.pending()
        ):
            result = self.client.loop_read()
        # Outside paho's callback, so that an answer is written at once and not on the next turn.
        self._on_read()
        if result != paho.MQTT_ERR_SUCCESS or not self._is_open():
            self._loop.remove_reader(self._sock)
            self._on_lost()
            return
        self.write_later()

    def _writable(self) -> None:
        result = self.client.loop_write()
        if result != paho.MQTT_ERR_SUCCESS or not self._is_open():
            self._loop.remove_writer(self._sock)
            self._on_lost()
        elif not self.client.want_write():
            self._loop.remove_writer(self._sock)
