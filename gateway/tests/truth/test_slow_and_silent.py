"""Clients that say nothing, little, or never listen: bounded memory, and a good client beside them misses nothing."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from broker_support import secret
from tls_witness import BROKER

from doorward_core import mqtt
from truth.peer import Peer
from truth.processes import BrokerProcesses, Started, memory
from truth.sites import prepared

SILENT = 500
PATIENCE = (
    20.0  # the site of these tests closes a stranger after 2 s; how late it is, is not the point
)
MEGABYTE = 1 << 20


@pytest.fixture
def certified(tmp_path: Path) -> dict[str, ssl.SSLContext]:
    return prepared(tmp_path)


@pytest.fixture
async def broker(
    processes: BrokerProcesses, tmp_path: Path, certified: dict[str, ssl.SSLContext]
) -> AsyncIterator[Started]:
    async with processes.started(tmp_path, site="for all") as broker:
        yield broker


async def strangers(port: int, many: int) -> list[socket.socket]:
    """Connections that have not said anything, from a few addresses of the loopback."""
    loop = asyncio.get_running_loop()
    made = []
    for number in range(many):
        sock = socket.socket()
        sock.setblocking(False)
        sock.bind((f"127.0.0.{2 + number % 8}", 0))
        await loop.sock_connect(sock, ("127.0.0.1", port))
        made.append(sock)
    return made


async def all_closed(socks: list[socket.socket]) -> None:
    """Wait until the broker has closed every one of them."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE):
        for sock in socks:
            with contextlib.suppress(ConnectionError):
                while await loop.sock_recv(sock, 4096):
                    pass
            sock.close()


@contextlib.asynccontextmanager
async def good_client(port: int) -> AsyncIterator[Peer]:
    """One that is there before the others come; at the end it has received all that it sent to itself."""
    control = Peer("control")
    await control.connect(port, clean=True)
    await control.subscribe(("control/#", 1))
    sent = 0
    done = asyncio.Event()

    async def go_on() -> None:
        nonlocal sent
        while not done.is_set():
            control.publish("control/echo", b"%d" % sent, 1)
            await control.settle()
            sent += 1
            await asyncio.sleep(0.02)

    going = asyncio.create_task(go_on())
    try:
        yield control
    finally:
        # On a slow machine what was done to the broker can be over before this one has said much.
        async with asyncio.timeout(PATIENCE):
            while sent <= 5 and not going.done():  # noqa: ASYNC110 - it counts for itself
                await asyncio.sleep(0.02)
        done.set()
        await going
    assert [one.payload for one in control.take()] == [b"%d" % n for n in range(sent)]
    await control.disconnect()


async def served(port: int) -> None:
    """A client that comes now is let in and receives."""
    late = Peer("f7")
    assert await late.connect(port, clean=True) == (False, mqtt.ACCEPTED)
    await late.subscribe(("late", 1))
    late.publish("late", b"here", 1)
    await late.settle()
    assert [one.payload for one in late.take()] == [b"here"]
    await late.disconnect()


@pytest.mark.parametrize(
    "said",
    [b"", mqtt.connect("f1", 60, True, "f1", secret("f1"))[:-1], b"\x10\xff\x1f" + bytes(4000)],
    ids=["nothing", "all but the last byte", "as much as a stranger may"],
)
async def test_five_hundred_strangers_who_say_nothing_more(broker, said):
    before = memory(broker.pid)
    async with good_client(broker.port):
        socks = await strangers(broker.port, SILENT)
        for sock in socks:
            sock.send(said)
        await served(broker.port)
        grown = memory(broker.pid) - before
        await all_closed(socks)
        await served(broker.port)
    assert grown < SILENT * 32 * 1024


async def test_drip_feeders_are_closed_all_the_same(broker):
    """A byte now and then buys no time."""
    packet = mqtt.connect("f1", 60, True, "f1", secret("f1")) * 100
    async with good_client(broker.port):
        socks = await strangers(broker.port, 100)

        async def drip() -> None:
            for at in range(len(packet)):
                for sock in socks:
                    with contextlib.suppress(OSError):
                        sock.send(packet[at : at + 1])
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        await served(broker.port)
        await all_closed(socks)
        assert not dripping.done()
        dripping.cancel()


async def test_handshakes_that_never_end(broker, certified):
    """Bytes that begin like TLS and stop; meanwhile who has a certificate comes in."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=BROKER)
    with contextlib.suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    greeting = outgoing.read()
    before = memory(broker.pid)
    async with good_client(broker.port):
        socks = await strangers(broker.secure_port, SILENT)
        for number, sock in enumerate(socks):
            sock.send((b"", greeting[:60], greeting)[number % 3])
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", broker.secure_port, ssl=certified["t0"], server_hostname=BROKER
        )
        writer.write(mqtt.connect("t0", 0, True, "t0", secret("t0")))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        writer.close()
        grown = memory(broker.pid) - before
        await all_closed(socks)
    assert grown < SILENT * 96 * 1024


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_flood_to_a_subscriber_that_never_reads(broker, qos):
    async with good_client(broker.port):
        (deaf,) = await strangers(broker.port, 1)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.send(mqtt.connect("victim", 0, False, "victim", secret("victim")))
        deaf.send(mqtt.subscribe(1, [("flood", qos)]))
        flooder = Peer("f1")
        await flooder.connect(broker.port, clean=True)
        before = memory(broker.pid)
        most = 0
        for _ in range(64):
            for _ in range(20):
                flooder.publish("flood", bytes(50_000), qos)
            await flooder.settle()
            most = max(most, memory(broker.pid) - before)
        await flooder.disconnect()
        deaf.close()
    # 64 MB were sent; what may wait: 1 MiB unread, half a MiB queued, and what is being worked on.
    assert most < 16 * MEGABYTE


async def test_a_flood_from_a_publisher_that_never_reads_its_answers(broker):
    before = memory(broker.pid)
    async with good_client(broker.port):
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port, limit=1024)
        writer.write(mqtt.connect("f1", 0, True, "f1", secret("f1")))
        await reader.readexactly(4)
        cast(asyncio.Transport, writer.transport).pause_reading()
        packet = mqtt.publish("flood", b"", 1, False, False, 1) * 1000
        pings = mqtt.pingreq() * 1000
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                for _ in range(2000):
                    writer.write(packet + pings)
                    await writer.drain()
        grown = memory(broker.pid) - before
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    assert grown < 16 * MEGABYTE
