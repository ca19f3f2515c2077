"""How much one client, one principal and one address may ask; everybody else goes on as if they were not there."""

import asyncio
import socket
import struct

import pytest
from broker_support import GATEWAY, Client, running_broker, secret, topic
from fakes.held_disk import held

from doorward.app.figures import flat
from doorward.broker import Limits
from doorward.broker.connections import addresses
from doorward.broker.connections.sockets import stay_alive
from doorward.runtime.brokers.figures import of_broker
from doorward_core import mqtt, topics

LESSON = "school/room1/lesson"
EVENTS = topic("front", topics.EVENTS)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def burst(count, *, first=1, size=1, qos=1):
    return b"".join(
        mqtt.publish(EVENTS, b"%d" % n + bytes(size), qos, False, False, n)
        for n in range(first, first + count)
    )


async def test_who_publishes_too_fast_waits_and_nobody_else_does(tmp_path, clock):
    limits = Limits(publish_rate=10)
    async with (
        running_broker(tmp_path, limits=limits, clock=clock) as site,
        site.client(GATEWAY) as gateway,
        site.client("back") as back,
    ):
        await gateway.subscribe("doorward/#")
        front = await Client.open(site.port)
        await front.connect("front", keepalive=1)
        front.write(burst(30))
        for number in range(1, 31):
            assert mqtt.parse_ack(await front.expect(mqtt.PUBACK)) == number
        front.write(burst(5, first=31) + mqtt.pingreq())
        await back.publish(topic("back", topics.EVENTS), b"mine")
        await gateway.publish(topic("back", topics.CONTROL), b"do")
        got = [one.payload for one in await gateway.messages()]
        assert len(got) == 30 + 1 + 1
        site.broker.sweep()
        assert front._packets == []
        assert flat(of_broker(site.broker))["doorward_broker_throttled_total"] > 0
        clock.now += 0.9
        site.broker.sweep()
        assert await gateway.messages() == [], "it owes for ten of them, that is one second"
        clock.now += 60
        site.broker.sweep()
        for number in range(31, 36):
            assert mqtt.parse_ack(await front.expect(mqtt.PUBACK)) == number
        await front.expect(mqtt.PINGRESP)
        assert len(await gateway.messages()) == 5, "and its keep-alive did not run out meanwhile"
        await front.drop()


async def test_who_hangs_up_while_it_waits_is_noticed(tmp_path, clock):
    async with (
        running_broker(tmp_path, limits=Limits(publish_rate=10), clock=clock) as site,
        site.client("back") as back,
    ):
        front = await Client.open(site.port)
        await front.connect("front")
        front.write(burst(30))
        await front.expect(mqtt.PUBACK)
        front.write(burst(5, first=31))
        await back.publish(topic("back", topics.EVENTS), b"it is read by now")
        site.broker.sweep()
        assert site.broker.connected()["front"] == 1, "it owes time"
        sock = front._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        front._writer.transport.abort()
        await asyncio.sleep(0.05)
        site.broker.sweep()
        assert site.broker.connected()["front"] == 0


async def test_who_leaves_while_the_disk_refuses_is_noticed(tmp_path):
    async with running_broker(tmp_path, limits=Limits(uncommitted=2)) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe("doorward/#")
        with held(site.broker) as disk:
            front = await Client.open(site.port)
            await front.connect("front")
            front.write(burst(4))
            await disk.holds(lambda batch: batch.messages)
            front._writer.write_eof()
            await asyncio.sleep(0.05)
            site.broker.sweep()
            assert site.broker.connected()["front"] == 1, "its last words may be worth reading"
            disk.refuse()
            await asyncio.sleep(0.05)
            site.broker.sweep()
            assert site.broker.connected()["front"] == 0
            await front.drop()


async def test_coming_back_does_not_fill_the_allowance_up(tmp_path, clock):
    limits = Limits(publish_rate=10)
    async with (
        running_broker(tmp_path, limits=limits, clock=clock) as site,
        site.client(GATEWAY) as gateway,
    ):
        await gateway.subscribe("doorward/#")
        async with site.client("front") as front:
            front.write(burst(100))
            for _ in range(100):
                await front.expect(mqtt.PUBACK)
        assert len(await gateway.messages()) == 100
        for _ in range(3):
            front = await Client.open(site.port)
            connect = mqtt.connect("front", 0, True, "front", secret("front"))
            front.write(connect + burst(50))  # in one piece, before anything is answered
            await front.expect(mqtt.CONNACK)
            assert await gateway.messages() == []
            await front.drop()
        clock.now += 1e6
        site.broker.sweep()
        await site.gone("front")
        clock.now += 1e6
        async with site.client("front") as front:
            await front.publish(EVENTS, b"again")


async def test_several_clients_of_one_user_share_the_allowance(tmp_path, clock):
    limits = Limits(publish_rate=10)
    async with (
        running_broker(tmp_path, limits=limits, clock=clock, users=("sam", "eve")) as site,
        site.client("sam", client_id="phone") as phone,
        site.client("sam", client_id="panel") as panel,
        site.client("eve") as eve,
    ):
        await eve.subscribe(LESSON)
        phone.write(b"".join([mqtt.publish(LESSON, b"x")] * 100))
        async with asyncio.timeout(5):
            while len(await eve.messages()) == 0:
                pass
        panel.write(mqtt.publish(LESSON, b"y") + mqtt.pingreq())
        await eve.publish(LESSON, b"z")
        assert b"y" not in [one.payload for one in await eve.messages()]
        clock.now += 60
        site.broker.sweep()
        await panel.expect(mqtt.PINGRESP)
        assert [one.payload for one in await eve.messages()] == [b"y"]


async def test_a_packet_that_does_not_go_on_ends_its_connection(tmp_path, clock):
    """Whatever the keep-alive: a byte now and then is no sign of life, but a large packet may take its time."""
    offline = topic("front", topics.OFFLINE)
    async with (
        running_broker(tmp_path, clock=clock) as site,
        site.client(GATEWAY) as gateway,
    ):
        await gateway.subscribe(offline, EVENTS)
        front = await Client.open(site.port)
        await front.connect("front", keepalive=0, will=(offline, b"gone", False, 1))
        large = mqtt.publish(EVENTS, bytes(20_000))
        for at in range(0, len(large), 500):  # segments may be small
            front.write(large[at : at + 500])
            await asyncio.sleep(0.02)
            clock.now += Limits().stalled * 0.3
            site.broker.sweep()
        assert len((await gateway.message()).payload) == 20_000
        for byte in large[:3]:
            front.write(bytes([byte]))
            await asyncio.sleep(0.02)
            clock.now += Limits().stalled * 0.4
            site.broker.sweep()
        assert (await gateway.message()).payload == b"gone"
        await front.drop()


@pytest.fixture
def far(monkeypatch):
    """Loopback counts as any other address."""
    monkeypatch.setattr(addresses, "_key", lambda host: host or None)


async def test_one_address_does_not_take_all_connections(tmp_path, far):
    async with running_broker(tmp_path, limits=Limits(connections_per_address=2)) as site:
        async with site.client("front"), site.client("back"):
            third = await Client.open(site.port)
            with pytest.raises((EOFError, ConnectionError)):
                await third.try_connect(GATEWAY)
            await third.drop()
            from_elsewhere = await Client.open(site.port, source="127.0.0.2")
            await from_elsewhere.connect(GATEWAY)
            await from_elsewhere.drop()
        async with site.client("front"):
            pass


async def test_this_machine_may_have_all_of_them(tmp_path):
    async with (
        running_broker(tmp_path, limits=Limits(connections_per_address=1)) as site,
        site.client("front"),
        site.client("back"),
    ):
        pass


def test_tcp_notices_who_is_gone():
    with socket.socket() as sock:
        stay_alive(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


async def test_of_thousands_of_filters_in_one_packet_no_more_are_judged_than_one_may_have(tmp_path):
    limits = Limits(subscriptions=3)
    async with (
        running_broker(tmp_path, limits=limits, users=("sam",)) as site,
        site.client("sam") as sam,
    ):
        codes = await sam.subscribe(*(f"school/{number}" for number in range(10)))
        assert codes == bytes([1, 1, 1, *[mqtt.REFUSED] * 7])
        assert site.broker.status().denied == 0
        assert await sam.subscribe("school/0", "school/more") == bytes([1, mqtt.REFUSED])
        assert site.broker.status().denied == 1
