"""Clients as other people run them: paho in a thread of its own, with a certificate or a password, on any listener."""

import contextlib
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import paho.mqtt.client as paho
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from paho.mqtt.enums import CallbackAPIVersion

from doorward.app.trust import Adoption

PATIENCE_S = 10.0
_REFUSED_S = 3.0


def identity(adoption: Adoption, directory: Path) -> Path:
    """A board's key and certificate as one file, NAME.pem."""
    key = load_der_private_key(adoption.private_key, None)
    certificate = x509.load_der_x509_certificate(adoption.certificate)
    path = directory / f"{adoption.device}.pem"
    path.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


class Certified(Protocol):
    """An authority, as far as its clients know it."""

    def certificate(self) -> bytes:
        """In PEM."""


class Client:
    """Connected when it is made, or refused: `answer` is the broker's word, None when it closed without one."""

    def __init__(
        self,
        port: int,
        name: str,
        *,
        identity: Path | None = None,
        authority: Certified | None = None,
        context: ssl.SSLContext | None = None,
        user: str | None = None,
        secret: str | None = None,
        clean: bool = True,
        tls: bool = False,
        websocket: bool = False,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self.inbox: list[tuple[str, bytes]] = []
        self.payloads: set[bytes] = set()
        self.answer: str | None = None
        self.session_present: bool | None = None
        self.connected = False
        self._ended = threading.Event()
        self._settled: set[int] = set()
        self._granted: dict[int, list[str]] = {}
        transport: Literal["tcp", "websockets"] = "websockets" if websocket else "tcp"
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            clean_session=clean,
            transport=transport,
            reconnect_on_failure=False,
        )
        if user is not None:
            client.username_pw_set(user, secret)
        if identity is not None or tls:
            context = context_of(authority, identity)
        if context is not None:
            client.tls_set_context(context)
        if will is not None:
            client.will_set(will[0], will[1], qos=1)
        client.max_inflight_messages_set(1000)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = lambda _c, _d, mid, *_: self._settled.add(mid)
        client.on_subscribe = self._on_subscribe
        with contextlib.suppress(OSError):
            client.connect("127.0.0.1", port)
            client.loop_start()
            self.until(lambda: self.answer is not None or self._ended.is_set(), _REFUSED_S)

    def subscribe(self, *filters: str) -> list[str]:
        """Ask for these; returns the broker's answer to each."""
        mid = self._client.subscribe([(one, 1) for one in filters])[1] or 0
        self.until(lambda: mid in self._granted)
        return self._granted[mid]

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, wait: bool = True
    ) -> None:
        """Return when the broker has acknowledged it, whether or not it was allowed; or at once."""
        mid = self._client.publish(topic, payload, qos=1, retain=retain).mid
        if wait:
            self.until(lambda: mid in self._settled)

    def until(self, condition: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Return when it is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.answer, self.inbox[-5:])
            time.sleep(0.005)

    def drop(self) -> None:
        """Go without a word: the will is left behind."""
        sock = self._client.socket()
        self._client.loop_stop()
        if sock is not None:
            sock.close()

    def close(self) -> None:
        """Go in good order."""
        self._client.disconnect()
        self._client.loop_stop()
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _on_connect(
        self, _client: object, _data: object, flags: Any, reason: object, *_: object
    ) -> None:
        self.connected = str(reason) == "Success"
        self.session_present = flags.session_present
        self.answer = str(reason)

    def _on_disconnect(self, *_: object) -> None:
        self.connected = False
        self._ended.set()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.inbox.append((message.topic, bytes(message.payload)))
        self.payloads.add(bytes(message.payload))

    def _on_subscribe(
        self, _client: object, _data: object, mid: int, codes: Any, *_: object
    ) -> None:
        self._granted[mid] = [str(code) for code in codes]


def context_of(authority: Certified | None, identity: Path | None) -> ssl.SSLContext:
    """For a client that believes this authority and shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if authority is not None:
        context.load_verify_locations(cadata=authority.certificate().decode())
    if identity is not None:
        context.load_cert_chain(identity)
    return context
