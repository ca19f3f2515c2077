"""What many clients say in one turn of the loop goes out with one write a client, and to the disk in one batch.

What breaks a silence does not wait for that.
"""

import asyncio

from broker_support import GATEWAY, Client, running_broker, secret

from doorward.broker.connections.connection import Connection
from doorward.broker.routing.router import Router
from doorward.broker.store import BrokerStore
from doorward_core import mqtt, topics

BOARDS = tuple(f"board-{number}" for number in range(8))


class Transport(asyncio.Transport):
    """Writes down every write."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def get_extra_info(self, name, default=None):
        return {"peername": ("127.0.0.1", 1), "socket": Socket()}.get(name, default)

    def set_write_buffer_limits(self, high=None, low=None):
        pass

    def get_write_buffer_size(self):
        return 0

    def write(self, data):
        self.writes.append(bytes(data))

    def close(self):
        pass


class Socket:
    def setsockopt(self, *_given):
        pass


async def test_one_write_and_one_batch_for_what_came_together(tmp_path, monkeypatch):
    batches = []
    write = BrokerStore.write
    monkeypatch.setattr(
        BrokerStore, "write", lambda *given: (batches.append(given[1]), write(*given))
    )
    async with running_broker(tmp_path, BOARDS) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe("doorward/#")
            (connection,) = site.connections
            kept = connection._transport
            connection._transport = told = Transport()
            boards = [joined(site.broker, name) for name in BOARDS]
            exchange, now = site.broker._exchange, site.broker._exchange.clock()
            monkeypatch.setattr(exchange, "clock", lambda: now)
            for silence, at_once in ((0.00015, [1]), (0.00005, []), (0.0, [])):
                await asyncio.sleep(0)
                batches.clear()
                told.writes.clear()
                now += silence
                for name, (board, _) in zip(BOARDS, boards, strict=True):
                    where = topics.device_topic("doorward", name, topics.REPORTED)
                    board.data_received(mqtt.publish(where, b"x", 1, retain=True, packet_id=7))
                assert (messages(told.writes), batches) == (at_once, [])
                await asyncio.sleep(0)
                assert messages(told.writes) == [*at_once, len(BOARDS) - len(at_once)]
                assert [(len(batch.messages), len(batch.retained)) for batch in batches] == [(8, 8)]
                await site.broker.settle()
            connection._transport = kept
        for board, _ in boards:
            board.connection_lost(None)


async def test_a_will_that_runs_into_something_leaves_no_connection_behind(tmp_path, monkeypatch):
    def fails(*_given, **_options):
        raise RuntimeError("a fault of ours")

    async with running_broker(tmp_path, BOARDS) as site:
        client = await Client.open(site.port)
        offline = topics.device_topic("doorward", "board-0", topics.OFFLINE)
        await client.connect("board-0", will=(offline, b"gone", False, 1))
        assert len(site.connections) == 1
        with monkeypatch.context() as patch:
            patch.setattr(Router, "publish", fails)
            await client.drop()
            async with asyncio.timeout(10):
                while site.connections:  # noqa: ASYNC110 - nobody tells us
                    await asyncio.sleep(0.01)


def messages(writes):
    return [written.count(b"/status/reported") for written in writes]


def joined(broker, name):
    connection, transport = Connection(broker._exchange), Transport()
    connection.connection_made(transport)
    connection.data_received(mqtt.connect(name, 0, True, name, secret(name)))
    broker._exchange.flush()
    assert transport.writes == [b"\x20\x02\x00\x00"]
    return connection, transport
