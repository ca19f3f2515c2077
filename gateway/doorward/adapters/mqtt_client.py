"""An MQTT client for a while: publishes and reads until it is closed. When its connection ends, that is it."""

import asyncio
import contextlib
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from doorward.adapters.paho_loop import Watched
from doorward.app.views.mqtt import MqttMessage
from doorward.errors import InvalidInput, NotPermitted, NotSignedIn, Unavailable
from doorward.remote_broker import RemoteBroker

_KEEPALIVE_S = 30
_CONNECT_S = 5.0
_ANSWER_S = 10.0
_MISC_S = 1.0  # how often paho looks after its keep-alive
# What nobody has fetched: beyond either the client is closed.
_MOST_UNREAD = 10_000  # messages
_MOST_UNREAD_BYTES = 16 << 20

T = TypeVar("T")

# What CONNACK says (3.2.2.3), by paho's names for it.
_REFUSALS = {
    "Unsupported protocol version": "it does not speak MQTT 3.1.1",
    "Client identifier not valid": "it does not take the client id {client!r}",
    "Server unavailable": "it cannot judge anybody right now",
    "Bad user name or password": "wrong user name or password for {user!r}",
    "Not authorized": "{user!r} may not connect like this",
}


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects. Without `client_id` a random one is used; `password` never appears in a repr."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str = ""


class MqttClient:
    """`async with MqttClient(broker, login) as client`: connected inside, closed in good order at the end.

    Entering raises Unavailable when nobody answers there, NotSignedIn when the broker refuses who we are, ConfigError
    for what is wrong with the files of its TLS.
    """

    def __init__(self, broker: RemoteBroker, login: Login) -> None:
        """Nothing is said before it is entered. Sessions are clean: nothing of it stays at the broker."""
        self._broker = broker
        self._login = login
        self.client_id = login.client_id or f"doorward-{secrets.token_hex(6)}"
        self._client = self._new_client()
        self._watched: Watched | None = None
        self._misc: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._inbox: asyncio.Queue[MqttMessage | None] = asyncio.Queue()
        self._unread = 0  # bytes
        self._answers: dict[int, asyncio.Future[Sequence[ReasonCode]]] = {}

    async def __aenter__(self) -> Self:
        """Connect, over TLS where the broker asks for it."""
        if self._broker.tls is not None:
            self._client.tls_set_context(self._broker.tls.context())
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def on_connect(
            _client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _more: object
        ) -> None:
            if not answered.done():
                answered.set_result(str(reason))

        self._client.on_connect = on_connect
        host, port = self._broker.host, self._broker.port
        try:
            await asyncio.to_thread(self._client.connect, host, port, _KEEPALIVE_S)
            self._watched = Watched(self._client, lambda: None, self._lose)
            reason = await self._or_lost(answered, "CONNACK")
        except (OSError, ValueError) as error:
            await self.close()
            raise Unavailable(*_unreachable(self._broker, error)) from error
        except BaseException:
            await self.close()
            raise
        if reason != "Success":
            await self.close()
            told = _REFUSALS.get(reason, reason)
            shown = told.format(user=self._login.user or "", client=self.client_id)
            raise NotSignedIn(
                f"the broker {self._broker} refuses: {shown}", "check user name and password"
            )
        self._misc = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Say goodbye."""
        if self._misc is not None:
            self._misc.cancel()
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.stop()
        self._lose()

    async def publish(
        self, topic: str, payload: bytes, qos: int = 0, *, retain: bool = False
    ) -> None:
        """Return when the broker has it: QoS 0 written, 1 and 2 acknowledged. Raises InvalidInput, Unavailable."""
        try:
            info = self._client.publish(topic, payload, qos, retain)
        except ValueError as error:
            raise InvalidInput(f"the topic {topic!r} cannot be published to: {error}") from None
        done: asyncio.Future[Sequence[ReasonCode]] = asyncio.get_running_loop().create_future()
        if info.rc == paho.MQTT_ERR_SUCCESS and not info.is_published():
            self._answers[info.mid] = done
        elif info.rc == paho.MQTT_ERR_SUCCESS:
            done.set_result(())
        self._write()
        await self._or_lost(done, "the acknowledgement")

    async def subscribe(self, filters: Sequence[str], qos: int = 0) -> tuple[int, ...]:
        """Ask for messages; returns the QoS granted for each. Raises NotPermitted for the first that is refused."""
        try:
            _result, mid = self._client.subscribe([(text, qos) for text in filters])
        except ValueError as error:
            raise InvalidInput(f"a filter cannot be subscribed to: {error}") from None
        done: asyncio.Future[Sequence[ReasonCode]] = asyncio.get_running_loop().create_future()
        if mid is not None:
            self._answers[mid] = done
        self._write()
        codes = await self._or_lost(done, "SUBACK")
        for text, code in zip(filters, codes, strict=True):
            if code.is_failure:
                raise NotPermitted(
                    f"the broker does not let {self._login.user or 'us'} read {text!r}",
                    "ask for a rule that allows it",
                )
        return tuple(code.value for code in codes)

    async def message(self) -> MqttMessage | None:
        """The next message; None when the connection has ended and nothing is left."""
        if self._inbox.empty() and self._lost.is_set():
            return None
        message = await self._inbox.get()
        self._unread -= len(message.payload) if message is not None else 0
        return message

    def _new_client(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        if self._login.user is not None:
            client.username_pw_set(self._login.user, self._login.password)
        client.connect_timeout = _CONNECT_S
        client.on_message = lambda _client, _data, message: self._arrived(message)
        client.on_publish = lambda _client, _data, mid, _reason, _more: self._answer(mid, ())
        client.on_subscribe = lambda _client, _data, mid, codes, _more: self._answer(mid, codes)
        return client

    def _arrived(self, message: paho.MQTTMessage) -> None:
        if self._lost.is_set():
            return
        payload = bytes(message.payload)
        too_large = self._unread + len(payload) > _MOST_UNREAD_BYTES
        if too_large or self._inbox.qsize() >= _MOST_UNREAD:
            self._lose()
            return
        self._unread += len(payload)
        self._inbox.put_nowait(MqttMessage(message.topic, payload, message.qos, message.retain))

    def _answer(self, mid: int, codes: Sequence[ReasonCode]) -> None:
        future = self._answers.pop(mid, None)
        if future is not None and not future.done():
            future.set_result(codes)

    def _lose(self) -> None:
        if not self._lost.is_set():
            self._lost.set()
            self._inbox.put_nowait(None)

    def _write(self) -> None:
        if self._watched is not None:
            self._watched.write_later()

    async def _or_lost(self, wanted: "asyncio.Future[T]", what: str) -> T:
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait(
                (wanted, lost), timeout=_ANSWER_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            lost.cancel()
        if wanted.done():
            return wanted.result()
        wanted.cancel()
        if self._lost.is_set():
            raise Unavailable(
                f"the broker {self._broker} closed the connection before {what}", self._why_closed()
            )
        raise Unavailable(f"the broker {self._broker} does not answer", "is it one?")

    def _why_closed(self) -> str:
        files = self._broker.tls
        if files is None or files.certificate is not None:
            return "see its log"
        # TLS 1.3 says so only after the handshake, and then as an end of the connection.
        return "it may ask for a certificate (--cert, --key) or speak WebSocket there; see its log"

    async def _keep_alive(self) -> None:
        while not self._lost.is_set() and self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), _MISC_S)
        self._lose()


def _unreachable(broker: RemoteBroker, error: Exception) -> tuple[str, str]:
    """What is wrong with the way to the broker, and the next step."""
    if isinstance(error, ssl.SSLCertVerificationError):
        problem = f"{broker} is not who it should be ({error.verify_message})"
        return problem, "check the name that you use for it, and its CA"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with {broker} ({error.reason})", "does this port speak TLS?"
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"nobody to talk to at {broker} ({reason})", "check host and port"
