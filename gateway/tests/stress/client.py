"""A blocking MQTT client for users that locust runs by the hundred: one greenlet each, under gevent."""

import socket
import ssl
import time
from collections import deque

from doorward_core import mqtt, mqtt_stream

_PATIENCE_S = 20.0
_Packet = tuple[int, int, bytes]


class Refused(Exception):
    """The broker let nobody in; its return code."""


class Client:
    """Asks, and waits for the answer; messages that come meanwhile are acknowledged and kept for `message`."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Connect the socket, and say nothing yet."""
        sock = socket.create_connection((host, port), _PATIENCE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = tls.wrap_socket(sock, server_hostname=host) if tls else sock
        self._decoder = mqtt_stream.Decoder()
        self._packets: deque[_Packet] = deque()
        self._messages: deque[tuple[str, bytes]] = deque()
        self._held: set[int] = set()
        self._ids = 0

    def connect(self, client_id: str, user: str, password: str, *, clean: bool) -> bool:
        """Log in; True when the session was there before. Raises Refused."""
        self._send(mqtt.connect(client_id, 60, clean, user, password))
        present, code = mqtt.parse_connack(self._answer(mqtt.CONNACK))
        if code != mqtt.ACCEPTED:
            raise Refused(code)
        return present

    def subscribe(self, topic_filter: str, qos: int) -> None:
        """Raises Refused when it is not granted."""
        self._send(mqtt.subscribe(self._next_id(), [(topic_filter, qos)]))
        _, codes = mqtt.parse_suback(self._answer(mqtt.SUBACK))
        if codes[0] == mqtt.REFUSED:
            raise Refused(mqtt.REFUSED)

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> None:
        """Return when the handshake is finished."""
        packet_id = self._next_id() if qos else 0
        self._send(mqtt.publish(topic, payload, qos, retain, False, packet_id))
        if qos == 1:
            self._answer(mqtt.PUBACK)
        elif qos == 2:
            self._answer(mqtt.PUBREC)
            self._send(mqtt.ack(mqtt.PUBREL, packet_id))
            self._answer(mqtt.PUBCOMP)

    def message(self, topic: str, payload: bytes) -> None:
        """Wait for this message; others on the way are dropped."""
        while True:
            while self._messages:
                if self._messages.popleft() == (topic, payload):
                    return
            self._take(self._receive())

    def close(self) -> None:
        """Hang up without a word."""
        self._sock.close()

    def _next_id(self) -> int:
        self._ids = self._ids % 65535 + 1
        return self._ids

    def _send(self, packet: bytes) -> None:
        self._sock.sendall(packet)

    def _answer(self, wanted: int) -> bytes:
        while True:
            packet = self._receive()
            if packet[0] == wanted:
                return packet[2]
            self._take(packet)

    def _receive(self) -> _Packet:
        until = time.monotonic() + _PATIENCE_S
        while not self._packets:
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionResetError("the broker hung up")
            if time.monotonic() > until:
                raise TimeoutError("no answer in time")
            self._packets += self._decoder.feed(data)
        return self._packets.popleft()

    def _take(self, packet: _Packet) -> None:
        kind, flags, body = packet
        if kind == mqtt.PUBREL:
            packet_id = mqtt.parse_ack(body)
            self._held.discard(packet_id)
            self._send(mqtt.ack(mqtt.PUBCOMP, packet_id))
        elif kind == mqtt.PUBLISH:
            topic, packet_id, payload = mqtt.parse_publish(flags, body)
            if packet_id not in self._held:
                self._messages.append((topic, payload))
            if packet_id:
                twice = flags >> 1 & 3 == 2
                if twice:
                    self._held.add(packet_id)
                self._send(mqtt.ack(mqtt.PUBREC if twice else mqtt.PUBACK, packet_id))
