"""A real broker on a real socket for tests, and an MQTT client that shows every packet."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from doorward.broker import Broker, Denial, Limits, OverWebSocket, Policy, Principals, Role, Secure
from doorward.broker.connections.connection import Connection
from doorward.broker.identity.ports import Certificates, Logins
from doorward.broker.rights.rules import Rule
from doorward.broker.store import BrokerStore
from doorward_core import mqtt, mqtt_stream

KEY = bytes(range(32))
GATEWAY = "gateway"
BASE = "doorward"
PATIENCE = 20.0  # how long a test waits for what must come

logging.getLogger("alembic").setLevel(logging.WARNING)


def secret(name: str) -> str:
    """A secret of the right length, different for every name."""
    return name.encode().hex().ljust(64, "5")


def topic(device: str, suffix: str) -> str:
    """The topic of one leaf of a device."""
    kind = suffix.partition("/")[0]
    return (
        f"{BASE}/{suffix}/{device}" if kind == "discovery" else f"{BASE}/devices/{device}/{suffix}"
    )


class OpenSchool(Policy):
    """The built-in rules, and all under school/ for users."""

    def use(self, rules: Iterable[Rule]) -> None:
        super().use((*rules, Rule("users", "allow", True, True, "school/#")))


@dataclass
class RunningBroker:
    """A broker that listens, and what it said about refusals."""

    broker: Broker
    principals: Principals
    port: int
    denials: list[Denial] = field(default_factory=list)

    @property
    def connections(self) -> set[Connection]:
        """Those that are open."""
        return cast(set[Connection], self.broker._exchange.connections)

    async def gone(self, client_id: str) -> None:
        """Wait until the broker has noticed that a client left."""
        sessions = self.broker._router.sessions
        async with asyncio.timeout(PATIENCE):
            while client_id in sessions and sessions[client_id].link is not None:  # noqa: ASYNC110 - only the other side's kernel knows
                await asyncio.sleep(0.005)

    @contextlib.asynccontextmanager
    async def client(self, name: str, **options: Any) -> AsyncIterator["Client"]:
        """A connected client; closed without DISCONNECT at the end."""
        client = await Client.open(self.port)
        try:
            await client.connect(name, **options)
            yield client
        finally:
            await client.drop()
            await self.gone(options.get("client_id", name))


@contextlib.asynccontextmanager
async def running_broker(
    directory: Path,
    devices: tuple[str, ...] = ("front", "back"),
    *,
    limits: Limits | None = None,
    clock: Callable[[], float] | None = None,
    port: int = 0,
    secure: Secure | None = None,
    websocket: OverWebSocket | None = None,
    certificates: Certificates | None = None,
    users: tuple[str, ...] = (),
    logins: Callable[[Principals], Logins] | None = None,
    policy: Policy | None = None,
) -> AsyncIterator[RunningBroker]:
    """A broker over `directory`/broker.db that knows `devices`, `users` (school/# is theirs) and "gateway"."""
    denials: list[Denial] = []
    principals = Principals()
    for name in users:
        principals.add(name, secret(name), Role.USER, keep=False)
    for name in devices:
        principals.add(name, secret(name))
    principals.add(GATEWAY, secret(GATEWAY), Role.GATEWAY, keep=False)
    options = {} if clock is None else {"clock": clock}
    broker = Broker(
        BrokerStore.open(directory / "broker.db", KEY),
        principals,
        policy or (OpenSchool(BASE) if users else Policy(BASE)),
        on_denied=denials.append,
        limits=limits,
        certificates=certificates,
        logins=logins and logins(principals),
        **options,
    )
    actual = await broker.start("127.0.0.1", port, secure, websocket)
    try:
        yield RunningBroker(broker, principals, actual, denials)
    finally:
        await broker.stop()


@dataclass
class Received:
    """A PUBLISH as it came."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    packet_id: int


class Client:
    """Speaks MQTT one packet at a time; acknowledges only when the test says so."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = mqtt_stream.Decoder()
        self._packets: list[tuple[int, int, bytes]] = []
        self._ids = 0

    @classmethod
    async def open(
        cls, port: int, context: ssl.SSLContext | None = None, *, source: str | None = None
    ) -> "Client":
        """A TCP or TLS connection that has not said anything yet, from `source` if that matters."""
        options: dict[str, Any] = {} if context is None else {"server_hostname": "doorward-broker"}
        if source is not None:
            options["local_addr"] = source, 0
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context, **options))

    async def connect(self, name: str, **options: Any) -> bool:
        """CONNECT with the options of `try_connect` and be accepted; True when the session was there before."""
        present, code = await self.try_connect(name, **options)
        assert code == mqtt.ACCEPTED, f"CONNACK {code}"
        return present

    async def try_connect(
        self,
        name: str,
        *,
        password: str | None = None,
        client_id: str | None = None,
        clean: bool = True,
        keepalive: int = 0,
        will: tuple[str, bytes, bool, int] | None = None,
    ) -> tuple[bool, int]:
        """CONNECT; (session present, return code)."""
        self.write(
            mqtt.connect(
                name if client_id is None else client_id,
                keepalive,
                clean,
                name,
                secret(name) if password is None else password,
                will,
            )
        )
        return mqtt.parse_connack(await self.expect(mqtt.CONNACK))

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        self._writer.write(data)

    def next_id(self) -> int:
        """A packet id that was not used."""
        self._ids += 1
        return self._ids

    async def publish(
        self,
        where: str,
        payload: bytes,
        qos: int = 1,
        *,
        retain: bool = False,
    ) -> None:
        """PUBLISH and wait for the whole handshake."""
        number = self.next_id() if qos else 0
        self.write(mqtt.publish(where, payload, qos, retain, False, number))
        if qos == 1:
            assert mqtt.parse_ack(await self.expect(mqtt.PUBACK)) == number
        elif qos == 2:
            assert mqtt.parse_ack(await self.expect(mqtt.PUBREC)) == number
            self.write(mqtt.ack(mqtt.PUBREL, number))
            assert mqtt.parse_ack(await self.expect(mqtt.PUBCOMP)) == number

    async def subscribe(self, *filters: str, qos: int = 1) -> bytes:
        """SUBSCRIBE; the return codes. Messages that come before the SUBACK stay for `message`."""
        number = self.next_id()
        self.write(mqtt.subscribe(number, [(text, qos) for text in filters]))
        answered, codes = mqtt.parse_suback(await self.expect(mqtt.SUBACK))
        assert answered == number
        return codes

    async def expect(self, kind: int) -> bytes:
        """The body of the next packet of this kind; others wait their turn."""
        _, body = await self._next(kind)
        return body

    async def message(self, *, ack: bool = True) -> Received:
        """The next PUBLISH. Raises TimeoutError when none comes."""
        flags, body = await self._next(mqtt.PUBLISH)
        where, number, payload = mqtt.parse_publish(flags, body)
        got = Received(where, payload, flags >> 1 & 3, bool(flags & 1), bool(flags & 8), number)
        if ack and got.qos == 1:
            self.write(mqtt.ack(mqtt.PUBACK, number))
        elif ack and got.qos == 2:
            self.write(mqtt.ack(mqtt.PUBREC, number))
            assert mqtt.parse_ack(await self.expect(mqtt.PUBREL)) == number
            self.write(mqtt.ack(mqtt.PUBCOMP, number))
        return got

    async def messages(self, *, ack: bool = True) -> list[Received]:
        """Everything the broker has for this client by now.

        A PINGRESP comes behind whatever was written before it, so nobody has to wait and see; acknowledging may
        bring more, hence the rounds.
        """
        found: list[Received] = []
        while True:
            self.write(mqtt.pingreq())
            await self.expect(mqtt.PINGRESP)
            came = sum(kind == mqtt.PUBLISH for kind, _, _ in self._packets)
            if not came:
                return found
            found += [await self.message(ack=ack) for _ in range(came)]

    async def is_closed(self) -> bool:
        """True when the broker closes the connection, False when it still answers.

        Raises TimeoutError when it does neither.
        """
        try:
            self.write(mqtt.pingreq())
            await self._next(mqtt.PINGRESP)
        except (EOFError, ConnectionError):
            return True
        return False

    async def disconnect(self) -> None:
        """Leave in good order."""
        self.write(mqtt.disconnect())
        await self.drop()

    async def drop(self) -> None:
        """Close the socket, as a power cut would."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _next(self, kind: int) -> tuple[int, bytes]:
        async with asyncio.timeout(PATIENCE):
            while True:
                for index, (found, flags, body) in enumerate(self._packets):
                    if found == kind:
                        del self._packets[index]
                        return flags, body
                data = await self._reader.read(65536)
                if not data:
                    raise EOFError
                self._packets += self._decoder.feed(data)
