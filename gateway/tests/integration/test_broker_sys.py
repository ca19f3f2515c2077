"""`$SYS/broker/…`: what the broker says of itself, to whom, and that nobody else says it."""

import asyncio
from pathlib import Path

from broker_support import GATEWAY, RunningBroker, running_broker, secret, topic

from doorward.adapters.mqtt_client import Login, MqttClient
from doorward.broker import Role
from doorward.broker.sys_topics import EVERY_S, Loads
from doorward.remote_broker import RemoteBroker
from doorward_core import mqtt, topics

API = Login("gateway-api", secret("gateway-api"), "gateway-api/test")
EVENTS = topic("front", topics.EVENTS)
# What Mosquitto 2.0 publishes, but for what has no meaning here (heap, shared subscriptions, its store's own figures).
MOSQUITTO = [
    "version",
    "uptime",
    "clients/total",
    "clients/connected",
    "clients/disconnected",
    "clients/maximum",
    "clients/active",
    "clients/inactive",
    "messages/received",
    "messages/sent",
    "publish/messages/received",
    "publish/messages/sent",
    "publish/messages/dropped",
    "bytes/received",
    "bytes/sent",
    "subscriptions/count",
    "load/messages/received/1min",
    "load/messages/sent/5min",
    "load/publish/received/15min",
    "load/publish/sent/1min",
    "load/publish/dropped/1min",
    "load/bytes/received/1min",
    "load/bytes/sent/1min",
    "load/connections/1min",
    "retained messages/count",
]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def admit_api(site: RunningBroker) -> RemoteBroker:
    site.principals.add("gateway-api", secret("gateway-api"), Role.API, keep=False)
    return RemoteBroker("127.0.0.1", site.port)


async def figures(client: MqttClient) -> dict[str, str]:
    """What is there: it comes at once, as retained messages."""
    await client.subscribe(["$SYS/#"])
    found = {}
    while not set(MOSQUITTO) <= set(found):
        async with asyncio.timeout(5):
            message = await client.message()
        assert message is not None
        assert message.retain
        found[message.topic.removeprefix("$SYS/broker/")] = message.payload.decode()
    return found


async def test_the_names_are_mosquittos_and_the_numbers_true(tmp_path: Path) -> None:
    clock = Clock()
    async with running_broker(tmp_path, clock=clock) as site:
        broker = admit_api(site)
        async with site.client("front") as front, site.client(GATEWAY) as gateway:
            await gateway.subscribe(EVENTS)
            for _ in range(3):
                await front.publish(EVENTS, b"x")
                await gateway.message()
            await front.publish(topic("front", topics.ONLINE), b"x", retain=True)
            clock.now += 60
            site.broker.sweep()
            async with MqttClient(broker, API) as client:
                found = await figures(client)
        assert set(MOSQUITTO) <= set(found)
        assert found["version"].startswith("doorward version ")
        assert found["uptime"] == "60 seconds"
        assert found["clients/connected"] == "2"
        assert found["publish/messages/received"] == "4"
        assert found["publish/messages/sent"] == "3"
        assert found["retained messages/count"] == "1"
        assert found["subscriptions/count"] == "1"
        assert int(found["bytes/received"]) > 100
        assert float(found["load/publish/received/1min"]) > 0


async def test_they_come_again_every_ten_seconds_when_they_change(tmp_path: Path) -> None:
    clock = Clock()
    async with running_broker(tmp_path, clock=clock) as site:
        broker = admit_api(site)
        async with MqttClient(broker, API) as client:
            site.broker.sweep()
            await client.subscribe(["$SYS/broker/uptime"])
            first = await client.message()
            clock.now += EVERY_S - 1
            site.broker.sweep()
            clock.now += 1
            site.broker.sweep()
            async with asyncio.timeout(5):
                second = await client.message()
        assert first is not None
        assert second is not None
        assert (first.payload, first.retain) == (b"0 seconds", True)
        assert (second.payload, second.retain) == (b"10 seconds", False)


async def test_only_who_has_a_rule_reads_them_and_nobody_writes_them(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as site:
        broker = admit_api(site)
        site.broker.sweep()
        async with site.client("front") as front, site.client(GATEWAY) as gateway:
            for client in (front, gateway):
                assert await client.subscribe("$SYS/#") == bytes([mqtt.REFUSED])
                await client.publish("$SYS/broker/version", b"mine")
        async with MqttClient(broker, API) as own:
            await own.publish("$SYS/broker/version", b"mine", 1)
            await own.subscribe(["#"])
            await own.subscribe(["$SYS/broker/version"])
            message = await own.message()
            assert message is not None
            assert message.payload.startswith(b"doorward version")
        assert site.broker.status().denied == 5
        assert site.broker.status().retained == 0


async def test_they_are_not_on_disk(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as site:
        site.broker.sweep()
        await site.broker.settle()
    async with running_broker(tmp_path) as site:
        assert site.broker.status().retained == 0
        assert len(site.broker._router.retained) == 0


def test_averages_follow_and_forget() -> None:
    names = ("messages/received", "messages/sent", "publish/received", "publish/sent")
    names += ("publish/dropped", "bytes/received", "bytes/sent", "connections")
    loads = Loads()
    counts = dict.fromkeys(names, 0.0)
    loads.measure(counts, 0.0)
    for second in range(10, 610, 10):
        counts = {name: count + 100 for name, count in counts.items()}
        found = loads.measure(counts, float(second))
    assert abs(found["load/messages/received/1min"] - 600) < 1  # ten a second, a minute
    assert 200 < found["load/messages/received/15min"] < 300
    for second in range(610, 910, 10):
        found = loads.measure(counts, float(second))
    assert found["load/messages/received/1min"] < 5
    assert found["load/messages/received/15min"] > 100
