"""30 boards × 30 topic trees × publish, subscribe and will: who may do what, measured by what arrives, on both brokers.

The boards are the registry's, the rights are the policy's. The witness of what boards say is a subscriber that may read
all; what a board hears is in its own inbox.
"""

import asyncio
import struct
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from socket import create_connection
from typing import Any, TypeVar

import pytest
from mosquitto_clients import Client, context_of, identity
from site_support import BROKERS, open_account, running, settings_for

from doorward.adapters.store import SqlStore
from doorward.broker.rights import policy, shipped
from doorward.broker.rights.rules import Rule
from doorward.database import load_or_create
from doorward.domain.audit import AuditRow
from doorward.domain.devices import APPROVED, Registration
from doorward.runtime.gateway import Gateway
from doorward.signer import Signer
from doorward_core import topic_tree, topics

ALL, FEW = 30, 4
# What a board says, hears and leaves behind; any leaf of its own would do.
SAID, HEARD, LEFT = topic_tree.METRICS, topics.CONTROL, topics.OFFLINE
LAST = topics.EVENTS_ACK  # said to a board after everything else
WITNESS = "witness"
SECRET = "5e" * 32
PATIENCE_S = 30.0
GRACE_S = 0.3  # the broker notices connections that break in no fixed order

T = TypeVar("T")
Matrix = list[list[bool]]


class Stand:
    """Approved boards with a gateway and its broker. Use `running`."""

    def __init__(self, directory: Path, broker: str, count: int) -> None:
        self.settings = settings_for(directory, broker)
        self.names = [f"board-{number:02}" for number in range(count)]
        self.signer = Signer(self.settings.device_keys)
        adopted = {name: self.signer.adopt(name) for name in self.names}
        self._secrets = {name: adoption.secret for name, adoption in adopted.items()}
        self._contexts = {
            name: context_of(self.signer, identity(adoption, directory))
            for name, adoption in adopted.items()
        }
        asyncio.run(self._register())

    async def _register(self) -> None:
        database = self.settings.directory / "gateway.db"
        store = SqlStore(database, load_or_create(self.settings.database_key, database))
        store.start()
        for name in self.names:
            board = Registration(name, "door-esp32", APPROVED, 0)
            await store.put_device(board, AuditRow(0, "device.approved", "operator"))
        await store.close()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The gateway in a thread of its own, and a witness who may read and say all."""
        with ExitStack() as stack:
            self._loop = asyncio.new_event_loop()
            stack.callback(self._loop.close)
            thread = threading.Thread(target=self._loop.run_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(self._loop.call_soon_threadsafe, self._loop.stop)
            alive = running(Gateway(self.settings))
            gateway = self._do(alive.__aenter__())
            stack.callback(lambda: self._do(alive.__aexit__(None, None, None)))
            self._port = gateway.mqtt_port
            self._do(open_account(gateway, WITNESS, SECRET))
            self.witness = Client(gateway.plain_port, WITNESS, user=WITNESS, secret=SECRET)
            stack.callback(self.witness.close)
            assert self.witness.subscribe("doorward/#") == ["Granted QoS 1"]
            yield

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def client(self, name: str) -> Client:
        """A board that is connected."""
        client = Client(
            self._port,
            name,
            context=self._contexts[name],
            user=name,
            secret=self._secrets[name],
        )
        assert client.answer == "Success", name
        return client

    def leaves_a_will(self, name: str, will_topic: str, will: bytes) -> bool:
        """Connect with this will and break the connection; whether the broker had let it in with that."""
        words = (
            name.encode(),
            will_topic.encode(),
            will,
            name.encode(),
            self._secrets[name].encode(),
        )
        told = b"".join(struct.pack("!H", len(word)) + word for word in words)
        # Protocol 3.1.1; user, password, will at QoS 1, clean session; keep-alive 60 s.
        body = b"\0\x04MQTT\x04" + bytes([0xC0 | 0x08 | 0x04 | 0x02]) + b"\0\x3c" + told
        length = (
            bytes([len(body) & 127 | 128, len(body) >> 7])
            if len(body) > 127
            else bytes([len(body)])
        )
        address = ("127.0.0.1", self._port)
        with (
            create_connection(address, PATIENCE_S) as raw,
            self._contexts[name].wrap_socket(raw) as line,
        ):
            line.sendall(b"\x10" + length + body)
            return line.recv(4) == b"\x20\x02\0\0"


def _topic(name: str, leaf: str) -> str:
    return topics.device_topic(topics.BASE, name, leaf)


def diagonal(count: int) -> Matrix:
    return [[row == column for column in range(count)] for row in range(count)]


def measure(stand: Stand) -> dict[str, Matrix]:
    """What arrives: matrix[kind][board][tree]."""
    with stand.running():
        with ExitStack() as stack:
            clients = {name: stand.client(name) for name in stand.names}
            for client in clients.values():
                stack.callback(client.close)
            said = _published(stand, clients)
            heard = _subscribed(stand, clients)
        return {"publish": said, "subscribe": heard, "will": _willed(stand)}


def _published(stand: Stand, clients: dict[str, Client]) -> Matrix:
    for name, client in clients.items():
        for tree in stand.names:
            client.publish(_topic(tree, SAID), f"{name}>{tree}".encode(), wait=False)
    # Each board's own last word: whatever it said before has come by then, or never will.
    for name, client in clients.items():
        client.publish(_topic(name, SAID), f"{name} ends".encode())
    arrived = stand.witness.payloads
    stand.witness.until(lambda: arrived >= {f"{name} ends".encode() for name in stand.names})
    return _matrix(stand, lambda name, tree: f"{name}>{tree}".encode() in arrived)


def _subscribed(stand: Stand, clients: dict[str, Client]) -> Matrix:
    for name, client in clients.items():
        client.subscribe(*(_topic(tree, HEARD) for tree in stand.names))
        # And everything at once, in the ways there are to ask for it.
        client.subscribe("doorward/#", "#", f"doorward/devices/+/{HEARD}", "+/+/+/#")
        assert client.subscribe(_topic(name, LAST)) == ["Granted QoS 1"]
    for tree in stand.names:
        stand.witness.publish(_topic(tree, HEARD), f"to {tree}".encode(), wait=False)
    for name, client in clients.items():
        stand.witness.publish(_topic(name, LAST), b"the end")
        client.until(lambda inbox=client.payloads: b"the end" in inbox)
    return _matrix(stand, lambda name, tree: f"to {tree}".encode() in clients[name].payloads)


def _willed(stand: Stand) -> Matrix:
    def row(name: str) -> None:
        for tree in stand.names:
            stand.leaves_a_will(name, _topic(tree, LEFT), f"{name} leaves {tree}".encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(row, stand.names))
    arrived = stand.witness.payloads
    own = {f"{name} leaves {name}".encode() for name in stand.names}
    stand.witness.until(lambda: arrived >= own)
    time.sleep(GRACE_S)
    return _matrix(stand, lambda name, tree: f"{name} leaves {tree}".encode() in arrived)


def _matrix(stand: Stand, arrived: Any) -> Matrix:
    return [[arrived(name, tree) for tree in stand.names] for name in stand.names]


@pytest.mark.parametrize("broker", BROKERS)
def test_each_board_has_its_own_tree_and_no_other(broker: str, tmp_path: Path) -> None:
    found = measure(Stand(tmp_path / "site", broker, ALL))
    assert found == dict.fromkeys(("publish", "subscribe", "will"), diagonal(ALL))


@pytest.mark.parametrize("broker", BROKERS)
@pytest.mark.parametrize(
    ("kind", "leaf"), [("publish", SAID), ("subscribe", HEARD), ("will", LEFT)]
)
def test_a_rule_that_is_too_wide_is_found(
    kind: str, leaf: str, broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: one rule for boards says any board where it should say its own. Only that part is not diagonal."""

    def widened(base: str) -> tuple[Rule, ...]:
        place = topics.device_topic(base, "%u", leaf)
        return tuple(
            replace(rule, topic_filter=place.replace("%u", "+"))
            if rule.topic_filter == place
            else rule
            for rule in shipped.built_in(base)
        )

    monkeypatch.setattr(policy, "built_in", widened)
    found = measure(Stand(tmp_path / "site", broker, FEW))
    everywhere = [[True] * FEW for _ in range(FEW)]
    assert found.pop(kind) == everywhere
    assert set(map(str, found.values())) == {str(diagonal(FEW))}
