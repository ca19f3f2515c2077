"""The gateway's own connection to the broker: paho-mqtt on our event loop.

paho does the protocol, asyncio watches the socket. A fresh paho client per connection: the old one would send again,
late, what a lost connection left behind, and a late answer is worth nothing.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from doorward.adapters.paho_loop import Watched
from doorward.app.ports import Message
from doorward_core import topic_tree, topics

_log = structlog.get_logger(__name__)

_KEEPALIVE_S = 30
_CONNECT_S = 1.5  # short: the thread that connects cannot be interrupted, and stopping waits for it
_CONNACK_S = 5.0
_BACKOFF_S = (0.1, 10.0)
_MISC_S = 1.0  # how often paho looks after its keep-alive
_START_OVER_S = 5.0  # time for a disk to get room again
_IN_FLIGHT = 1000  # answers wait for nobody's PUBACK


class MqttLink:
    """Keeps one connection up. Nothing is queued while it is down: `publish` then only counts."""

    def __init__(
        self,
        host: str,
        port: int,
        name: str,
        secret: str,
        base: str = topics.BASE,
        *,
        keeps_all: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`name` is user name and client id; `secret` its password at the broker.

        keeps_all: the broker would keep also what is worth nothing later. To boards that goes at QoS 0 then, which no
        broker keeps for who is away; and what it kept of it for us is dropped when we come back. tls: None for a broker
        on this machine.
        """
        self._address = (host, port)
        self._name = name
        self._secret = secret
        self._base = base
        self._tls = tls
        self._fleeting = topic_tree.NOT_QUEUED if keeps_all else ()
        self._filters = [(topics.device_topic(base, "+", suffix), 1) for suffix in topic_tree.UP]
        self._watched: Watched | None = None
        self._inbox: list[paho.MQTTMessage] = []
        self._down = asyncio.Event()
        self._catching_up = False
        self._starting_over: asyncio.TimerHandle | None = None
        self.connected = False
        self.lost = 0
        self.on_message: Callable[[Message], None] = lambda _message: None
        self.on_up: Callable[[], None] = lambda: None

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self._watched is None or not self.connected:
            self.lost += 1
            return
        self._watched.client.publish(topic, payload, qos=self._qos(topic), retain=retain)
        self._write_later()

    def _qos(self, topic: str) -> int:
        place = topic_tree.parse(self._base, topic) if self._fleeting else None
        return 0 if place is not None and place[1] in self._fleeting else 1

    def start_over(self) -> None:
        if self._starting_over is None:
            loop = asyncio.get_running_loop()
            self._starting_over = loop.call_later(_START_OVER_S, self._end_connection)

    def _end_connection(self) -> None:
        self._starting_over = None
        self._down.set()

    async def run(self) -> None:
        """Connect, serve, and connect again with back-off, until cancelled."""
        wait, longest = _BACKOFF_S
        while True:
            try:
                client = await self._connected()
                if client is not None:
                    wait = _BACKOFF_S[0]
                    # What our own side raises is no fault of the connection, and is not tried again.
                    self.on_up()
                    await self._serve(client)
                    _log.warning("link.lost", broker=self._address)
            finally:
                self._drop()
            # Jitter, so that what fell together does not come back together.
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter is no secret
            wait = min(wait * 2, longest)

    async def _connected(self) -> paho.Client | None:
        """A connection with its subscriptions asked for, or None, and the log says why."""
        try:
            client = await self._connect()
            client.subscribe(self._filters)
        except (OSError, ValueError) as error:
            _log.warning("link.refused", broker=self._address, error=str(error))
            return None
        self._write_later()
        _log.info("link.up", broker=self._address)
        return client

    async def _connect(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._name,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.username_pw_set(self._name, self._secret)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.on_message = self._received
        client.on_subscribe = self._subscribed
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[str] = loop.create_future()

        def on_connect(
            _client: paho.Client,
            _data: object,
            _flags: object,
            reason: ReasonCode,
            _properties: object,
        ) -> None:
            self.connected = reason == "Success"
            if not answered.done():
                answered.set_result(str(reason))

        client.on_connect = on_connect
        self._down = asyncio.Event()
        self._catching_up = bool(self._fleeting)
        host, port = self._address
        await asyncio.to_thread(client.connect, host, port, _KEEPALIVE_S)
        self._watched = Watched(client, lambda: self._read(client), self._down.set)
        reason = await asyncio.wait_for(answered, _CONNACK_S)
        if reason != "Success":
            raise ConnectionRefusedError(reason)
        return client

    def _subscribed(self, *_: object) -> None:
        """Everything that came before is what the broker had kept for us: it sends that first."""
        self._catching_up = False

    def _received(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        # One that we had already, and did not acknowledge, comes with DUP: it has to be put on record.
        late = self._catching_up and not message.retain and not message.dup
        if late and self._qos(message.topic) == 0:
            client.ack(message.mid, message.qos)
            return
        self._inbox.append(message)

    async def _serve(self, client: paho.Client) -> None:
        while not self._down.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._down.wait(), _MISC_S)
            if client.loop_misc() != paho.MQTT_ERR_SUCCESS:
                return

    def _read(self, client: paho.Client) -> None:
        inbox, self._inbox = self._inbox, []
        for message in inbox:
            self._deliver(client, message)

    def _deliver(self, client: paho.Client, message: paho.MQTTMessage) -> None:
        def ack() -> None:
            # A message of an older connection comes again on the new one, with its DUP flag.
            if message.qos and self._watched is not None and client is self._watched.client:
                client.ack(message.mid, message.qos)
                self._write_later()

        place = topic_tree.parse(self._base, message.topic)
        if place is None:
            ack()
            return
        device, suffix = place
        self.on_message(
            Message(device, suffix, bytes(message.payload), message.retain, message.dup, ack)
        )

    def _write_later(self) -> None:
        if self._watched is not None:
            self._watched.write_later()

    def _drop(self) -> None:
        self.connected = False
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.stop()
