"""What an attacker with a socket, or with another client's valid secret, does not get.

Every refusal stands beside a positive control: the same step by the rightful client works. What counts is what is
delivered, never what a SUBACK or a PUBACK says.
"""

import json
import logging

import pytest
from broker_support import GATEWAY, Client, running_broker, secret, topic

from doorward.broker import Denial, Limits
from doorward.broker.rights.policy import FOREIGN_DEVICE, NOT_GRANTED, OUTSIDE_BASE
from doorward_core import mqtt, topic_tree, topics

EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)


@pytest.mark.parametrize(
    ("user", "password", "client_id", "code"),
    [
        ("front", "wrong", "front", mqtt.BAD_LOGIN),
        ("front", "", "front", mqtt.BAD_LOGIN),
        ("front", secret("back"), "front", mqtt.BAD_LOGIN),
        ("nobody", secret("nobody"), "nobody", mqtt.BAD_LOGIN),
        ("", "", "", mqtt.BAD_LOGIN),
        ("front", secret("front"), "", mqtt.BAD_CLIENT_ID),
        ("back", secret("back"), "front", mqtt.BAD_CLIENT_ID),
        ("back", secret("back"), "back/../front", mqtt.BAD_CLIENT_ID),
    ],
)
@pytest.mark.parametrize("clean", [False, True])
async def test_a_refused_connect_changes_nothing_for_the_victim(
    tmp_path, user, password, client_id, code, clean
):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(topic("front", topics.OFFLINE))
        will = (topic("front", topics.OFFLINE), b"gone", False, 1)
        async with site.client("front", clean=False, will=will) as victim:
            await victim.subscribe(CONTROL)
            thief = await Client.open(site.port)
            present, answer = await thief.try_connect(
                user, password=password, client_id=client_id, clean=clean
            )
            assert (present, answer) == (False, code)
            assert await thief.is_closed()
            await gateway.publish(CONTROL, b"for the victim")
            assert (await victim.message()).payload == b"for the victim"
            assert await gateway.messages() == [], "the victim's will was not set off"
            await thief.drop()
        assert (await gateway.message()).payload == b"gone"
        await gateway.publish(CONTROL, b"queued")
        thief = await Client.open(site.port)
        await thief.try_connect(user, password=password, client_id=client_id, clean=clean)
        assert await thief.is_closed()
        await thief.drop()
        async with site.client("front", clean=False) as victim:
            assert [one.payload for one in await victim.messages()] == [b"queued"]


async def test_no_user_name_no_entry(tmp_path):
    async with running_broker(tmp_path) as site:
        client = await Client.open(site.port)
        client.write(mqtt.connect("front", 0, True))
        assert mqtt.parse_connack(await client.expect(mqtt.CONNACK)) == (False, mqtt.BAD_LOGIN)
        assert await client.is_closed()
        await client.drop()


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        (topic("back", topics.OFFLINE), FOREIGN_DEVICE),
        (CONTROL, NOT_GRANTED),
        (topic("front", topics.ACCESS_RESPONSE), NOT_GRANTED),
        ("elsewhere", OUTSIDE_BASE),
    ],
)
async def test_a_will_is_checked_like_a_publish(tmp_path, where, rule):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#")
        front = await Client.open(site.port)
        _, code = await front.try_connect("front", will=(where, b"forged", True, 1))
        assert code == mqtt.NOT_AUTHORISED
        await front.drop()
        assert await gateway.messages() == []
        assert site.denials == [Denial("front", "will", where, rule)]
        async with site.client("front", will=(topic("front", topics.OFFLINE), b"mine", True, 1)):
            pass
        await site.gone("front")
        assert [one.payload for one in await gateway.messages()] == [b"mine"]


async def test_who_reaches_whom_is_a_diagonal_matrix(tmp_path):
    """Every device tries every device's leaves, by publish and by subscription; witnessed by delivery."""
    devices = tuple(f"door{number}" for number in range(6))
    async with running_broker(tmp_path, devices) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#")
        clients = {}
        for name in devices:
            clients[name] = await Client.open(site.port)
            await clients[name].connect(name)
            for other in devices:
                await clients[name].subscribe(*(topic(other, leaf) for leaf in topic_tree.DOWN))
                for leaf in (*topic_tree.UP, *topic_tree.DOWN):
                    await clients[name].publish(topic(other, leaf), f"{name}>{other}".encode())
        ups = [one for one in await gateway.messages() if not one.topic.endswith(topics.DENIED)]
        assert sorted((one.topic, one.payload) for one in ups) == sorted(
            (topic(name, leaf), f"{name}>{name}".encode())
            for name in devices
            for leaf in topic_tree.UP
        )
        for name in devices:
            denied = {one.topic for one in await clients[name].messages()}
            assert denied <= {topic(name, topics.DENIED)}
        for name in devices:
            for leaf in topic_tree.DOWN:
                await gateway.publish(topic(name, leaf), name.encode())
        for name in devices:
            got = await clients[name].messages()
            assert sorted((one.topic, one.payload) for one in got) == sorted(
                (topic(name, leaf), name.encode()) for leaf in topic_tree.DOWN
            )
            await clients[name].drop()


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "+/#",
        "doorward/#",
        "doorward/devices/+/commands/control",
        "doorward/devices/front/#",
        "doorward/devices/front/commands/+",
        topic("back", topics.CONTROL),
        "$share/g/doorward/#",
        "$share/g/#",
        "$SYS/#",
        topic("front", topics.EVENTS),
    ],
)
async def test_a_filter_that_reaches_too_far_brings_nothing(tmp_path, topic_filter):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.publish(topic("back", topics.CONFIG), b"secret", retain=True)
        async with site.client("front") as front:
            assert await front.subscribe(topic_filter) == bytes([mqtt.REFUSED])
            assert [one.action for one in site.denials] == ["subscribe"]
            for leaf in (*topic_tree.UP, *topic_tree.DOWN):
                for device in ("front", "back"):
                    await gateway.publish(topic(device, leaf), b"secret")
            assert await front.messages() == []
            assert await front.subscribe(topic_filter, CONTROL) == bytes([mqtt.REFUSED, 1])
            await gateway.publish(CONTROL, b"mine")
            assert [one.payload for one in await front.messages()] == [b"mine"]


async def test_delivery_is_filtered_even_where_a_subscription_slipped_in(tmp_path):
    async with (
        running_broker(tmp_path) as site,
        site.client(GATEWAY) as gateway,
        site.client("front") as front,
    ):
        session = site.broker._router.sessions["front"]
        site.broker._router._subscribe(session, "#", 1)
        await gateway.publish(topic("back", topics.CONTROL), b"foreign")
        await gateway.publish(CONTROL, b"own")
        assert [one.payload for one in await front.messages()] == [b"own"]


async def test_a_denied_publish_is_told_to_operator_and_device_and_does_nothing(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(topic("back", topics.CONTROL))
        async with site.client("front") as front:
            await front.subscribe(topic("front", topics.DENIED))
            await front.publish(topic("back", topics.CONTROL), b"open", retain=True)
            told = json.loads((await front.message()).payload)
            assert (told["topic"], told["rule"]) == (topic("back", topics.CONTROL), FOREIGN_DEVICE)
            denial = Denial("front", "publish", topic("back", topics.CONTROL), FOREIGN_DEVICE)
            assert site.denials == [denial]
            assert site.broker.status().denied == 1
        assert await gateway.messages() == []
        await gateway.publish(topic("back", topics.CONTROL), b"control")
        assert [one.payload for one in await gateway.messages()] == [b"control"]


async def test_who_is_refused_without_end_fills_neither_queue_nor_log(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    now = 0.0
    foreign = topic("back", topics.CONTROL)
    async with running_broker(tmp_path, clock=lambda: now) as site, site.client("front") as front:
        await front.subscribe(topic("front", topics.DENIED))
        for _ in range(100):
            await front.publish(foreign, b"open")
        assert site.broker.status().denied == 100
        assert len(site.denials) == len(await front.messages()) == Limits().denials
        assert not [line for line in caplog.records if foreign in line.getMessage()]
        now = 1.0
        for _ in range(2):
            await front.publish(foreign, b"open")
        assert site.denials[Limits().denials :] == [
            Denial("front", "publish", foreign, FOREIGN_DEVICE, unsaid=100 - Limits().denials)
        ]


async def test_retained_messages_come_in_the_order_of_the_filters(tmp_path):
    leaves = (topics.REPORTED, topics.ONLINE, topics.CONFIG, topics.OFFLINE)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        for name in ("front", "back"):
            for leaf in leaves:
                await gateway.publish(topic(name, leaf), leaf.encode(), retain=True)
        wanted = [topic(name, leaf) for name in ("back", "front") for leaf in leaves]
        await gateway.subscribe(*wanted, wanted[0])
        assert [one.topic for one in await gateway.messages()] == wanted


async def test_secrets_are_neither_in_the_log_nor_in_the_file(tmp_path, caplog):
    caplog.set_level("DEBUG")
    async with running_broker(tmp_path) as site:
        async with site.client("front", clean=False) as front:
            await front.publish(EVENTS, b"payload-in-clear", retain=True)
        client = await Client.open(site.port)
        await client.try_connect("front", password="guessed-secret")
        await client.drop()
        await site.broker.settle()
        for file in tmp_path.iterdir():
            content = file.read_bytes()
            for readable in (b"front", secret("front").encode(), b"SQLite format", b"telemetry"):
                assert readable not in content, file
    assert secret("front") not in caplog.text
    assert "guessed-secret" not in caplog.text
