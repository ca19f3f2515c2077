"""What an attacker with a socket, or with another client's valid secret, does not get.

Every refusal stands beside a positive control: the same step by the rightful client works. What counts is what is
delivered, never what a SUBACK or a PUBACK says.
"""

import hashlib
import json
import logging
import random

import pytest
from broker_support import GATEWAY, KEY, Client, running_broker, secret, topic

from doorward.broker import Denial, Limits, Role
from doorward.broker.policy import FOREIGN_DEVICE, NOT_GRANTED, OUTSIDE_BASE
from doorward.broker.store.tables import metadata
from doorward.database import open_database
from doorward_core import mqtt, mqtt_server, topic_tree, topics

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
            assert site.broker.status()["denied"] == 1
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
        assert site.broker.status()["denied"] == 100
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


async def test_removal_ends_connection_session_and_queue(tmp_path):
    async with running_broker(tmp_path, ("front", "back")) as site, site.client(GATEWAY) as gateway:
        online = await Client.open(site.port)
        will = (topic("front", topics.OFFLINE), b"last word", True, 1)
        await online.connect("front", clean=False, will=will)
        await online.subscribe(CONTROL)
        async with site.client("back", clean=False) as back:
            await back.subscribe(topic("back", topics.CONTROL))
        for name in ("front", "back"):
            await gateway.publish(topic(name, topics.CONTROL), b"before")
        assert (await online.message()).payload == b"before"
        await gateway.subscribe("doorward/#")
        for name in ("front", "back"):
            assert site.principals.remove(name)
        await site.broker.settle()
        assert await online.is_closed()
        assert await gateway.messages() == [], "what was revoked has no last word"
        await online.drop()
        late = await Client.open(site.port)
        assert await late.try_connect("front", clean=False) == (False, mqtt.BAD_LOGIN)
        await late.drop()
        await gateway.publish(CONTROL, b"after")
        site.principals.add("front", secret("front"))
        async with site.client("front", clean=False) as again:
            assert await again.messages() == []
    async with running_broker(tmp_path, ()) as site:
        assert site.principals.names() == ("front", GATEWAY), "and it is still so after a restart"
        assert site.broker.status()["sessions"] == 1


@pytest.mark.parametrize("online", [True, False])
async def test_whoever_is_expelled_leaves_nothing_behind(tmp_path, online):
    left_behind = [topic("front", leaf) for leaf in (topics.ONLINE, topics.REPORTED, topics.CONFIG)]
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        front = await Client.open(site.port)
        await front.connect("front", clean=False)
        await front.subscribe(CONTROL)
        if not online:
            await front.drop()
            await site.gone("front")
        for where in (*left_behind, topic("back", topics.CONFIG)):
            await gateway.publish(where, b"state", retain=True)
        await gateway.publish(CONTROL, b"queued")
        assert _rows(tmp_path, "front") > 4, "the positive control: there is something to forget"
        await site.broker.expel("front")
        assert _rows(tmp_path, "front") == 0
        assert _rows(tmp_path, "back") == 1, "its config"
        if online:
            with pytest.raises(EOFError):
                await front.expect(mqtt.PINGRESP)
            await front.drop()
        late = await Client.open(site.port)
        assert await late.try_connect("front", clean=False) == (False, mqtt.BAD_LOGIN)
        await late.drop()
        await gateway.subscribe("doorward/#")
        assert [one.topic for one in await gateway.messages()] == [topic("back", topics.CONFIG)]
    async with running_broker(tmp_path, ("back",)) as site:
        assert site.principals.names() == ("back", GATEWAY)
        status = site.broker.status()
        assert (status["sessions"], status["retained"]) == (0, 1)


def _rows(directory, name):
    """How many rows of broker.db name a device."""
    engine = open_database(directory / "broker.db", KEY)
    with engine.connect() as connection:
        kept = [
            row
            for table in metadata.tables.values()
            for row in connection.execute(table.select())
            if any(name in str(value).split("/") for value in row)
        ]
    engine.dispose()
    return len(kept)


async def test_approval_and_its_end_change_the_rights_of_a_connection_at_once(tmp_path):
    register, answer = topic("front", topics.REGISTER), topic("front", topics.REGISTERED)
    async with running_broker(tmp_path, ()) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#")
        digest = hashlib.sha256(secret("front").encode()).digest()
        site.principals.admit("front", digest, Role.WAITING, keep=False)
        async with site.client("front") as front:
            assert await front.subscribe(answer, CONTROL, "doorward/#") == b"\1\x80\x80"
            await front.publish(topic("front", topics.ACCESS_REQUEST), b"let me in")
            await front.publish(register, b"here I am", retain=True)
            assert [one.payload for one in await gateway.messages()] == [b"here I am"]
            await gateway.publish(answer, b"wait")
            assert (await front.message()).payload == b"wait"
            site.principals.admit("front", digest, keep=False)
            assert await front.is_closed()
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL)
            await front.publish(EVENTS, b"at work")
            assert (await gateway.messages())[-1].payload == b"at work"
            await gateway.publish(CONTROL, b"do")
            assert (await front.message()).payload == b"do"
        assert site.broker.status()["retained"] == 0, "an announcement is never retained"


async def test_a_new_secret_ends_the_connection_of_the_old_one(tmp_path):
    async with running_broker(tmp_path) as site, site.client("front") as front:
        site.principals.add("front", "77" * 32)
        assert await front.is_closed()
        client = await Client.open(site.port)
        assert await client.try_connect("front") == (False, mqtt.BAD_LOGIN)
        await client.drop()
        async with site.client("front", password="77" * 32) as renewed:
            assert not await renewed.is_closed()


MISTAKES = {
    "publish before connect": mqtt.publish(EVENTS, b"x"),
    "garbage": b"GET / HTTP/1.1\r\n\r\n",
    "length of five bytes": b"\x10\xff\xff\xff\xff\x01",
    "a first packet that is too large": b"\x10\xff\xff\x03" + bytes(5000),
    "256 MB": b"\x10\xff\xff\xff\x7f",
}
LATER_MISTAKES = {
    "second connect": mqtt.connect("front", 0, True, "front", secret("front")),
    "wildcard in a topic": mqtt.frame(0x30, mqtt.string("a/#") + b"x"),
    "qos 3": mqtt.frame(0x36, mqtt.string("a") + b"\0\1x"),
    "packet id 0": mqtt.frame(0x32, mqtt.string("a") + b"\0\0x"),
    "no utf-8": mqtt.frame(0x30, b"\0\2\xff\xfex"),
    "malformed filter": mqtt.subscribe(1, [("a/#/b", 0)]),
    "no filter": mqtt.frame(0x82, b"\0\1"),
    "server's packet": mqtt_server.connack(False, 0),
    "reserved type": b"\xf0\x00",
    "reserved flags": b"\xc1\x00",
    "too large": b"\x30\xff\xff\x7f" + bytes(8),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
async def test_a_mistake_before_connect_closes_that_connection_only(tmp_path, mistake, caplog):
    caplog.set_level("INFO", "doorward.broker")
    async with running_broker(tmp_path) as site, site.client("back") as bystander:
        client = await Client.open(site.port)
        client.write(mistake)
        assert await client.is_closed()
        assert "closed, " in caplog.text
        assert not await bystander.is_closed()
        await client.drop()


@pytest.mark.parametrize("mistake", LATER_MISTAKES.values(), ids=LATER_MISTAKES.keys())
async def test_a_later_mistake_closes_that_connection_and_sets_off_its_will(tmp_path, mistake):
    offline = topic("front", topics.OFFLINE)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(offline)
        async with site.client("front", will=(offline, b"gone", False, 1)) as front:
            assert not await front.is_closed()
            front.write(mistake)
            assert await front.is_closed()
            assert (await gateway.message()).payload == b"gone"
        assert not await gateway.is_closed()


async def test_other_protocol_versions_are_refused_by_their_number(tmp_path):
    async with running_broker(tmp_path) as site:
        for level in (3, 5):
            client = await Client.open(site.port)
            body = mqtt.string("MQTT") + bytes((level, 2, 0, 0)) + mqtt.string("front")
            client.write(mqtt.frame(0x10, body))
            answer = mqtt.parse_connack(await client.expect(mqtt.CONNACK))
            assert answer == (False, mqtt.BAD_PROTOCOL)
            assert await client.is_closed()
            await client.drop()


async def test_one_connection_too_many_is_turned_away(tmp_path):
    async with (
        running_broker(tmp_path, limits=Limits(connections=2)) as site,
        site.client("front"),
        site.client("back") as back,
    ):
        third = await Client.open(site.port)
        with pytest.raises((EOFError, ConnectionError)):
            await third.try_connect(GATEWAY)
        await third.drop()
        assert not await back.is_closed()


async def test_subscriptions_of_one_client_are_bounded(tmp_path):
    async with (
        running_broker(tmp_path, limits=Limits(subscriptions=2)) as site,
        site.client(GATEWAY) as gateway,
    ):
        codes = await gateway.subscribe("doorward/a", "doorward/b", "doorward/c")
        assert codes == bytes([1, 1, mqtt.REFUSED])
        assert await gateway.subscribe("doorward/a") == bytes([1]), "one that it has already"


async def test_mutated_packets_never_stop_the_broker(tmp_path):
    dice = random.Random(7)
    corpus = [
        mqtt.connect("front", 10, False, "front", secret("front"), (EVENTS, b"w", True, 1)),
        mqtt.subscribe(3, [(CONTROL, 1), ("doorward/#", 2)]),
        mqtt.unsubscribe(4, [CONTROL]),
        *(mqtt.publish(EVENTS, b"payload", qos, True, False, qos and 5) for qos in (0, 1, 2)),
        *(mqtt.ack(kind, 5) for kind in (mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP)),
        mqtt.pingreq(),
    ]
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as witness:
        for _ in range(300):
            client = await Client.open(site.port)
            if dice.random() < 0.7:
                client.write(corpus[0])
            for _ in range(4):
                packet = bytearray(dice.choice(corpus))
                for _ in range(dice.randrange(3)):
                    packet[dice.randrange(len(packet))] = dice.randrange(256)
                client.write(bytes(packet))
            await client.drop()
        assert not await witness.is_closed()
        async with site.client("front") as front:
            await front.subscribe(CONTROL)
            await witness.publish(CONTROL, b"alive")
            assert (await front.messages())[-1].payload == b"alive"


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
