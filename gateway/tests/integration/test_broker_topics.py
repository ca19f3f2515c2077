"""Topics and filters as they are: every text that the standard allows comes back byte for byte."""

import pytest
from broker_support import BASE, Client, running_broker

from doorward.broker import Limits, Policy
from doorward.broker.rights.rules import Rule
from doorward_core import mqtt


class Everything(Policy):
    """The built-in rules, and all else for users."""

    def use(self, rules):
        more = [Rule("users", "allow", True, True, where) for where in ("#", "$own/#")]
        super().use((*rules, *more))


EVERYTHING = Everything(BASE)
UNUSUAL = {
    "a space": "room 1/door of sam",
    "only a space": " ",
    "a dot": "v1.2/sensor.temperature",
    "a leading slash": "/finance",
    "only a slash": "/",
    "empty levels": "a//b",
    "a trailing slash": "a/",
    "not ASCII": "k\N{LATIN SMALL LETTER U WITH DIAERESIS}che/\N{SNOWMAN}/\N{DOOR}",
    "a byte order mark [MQTT-1.5.3-3]": "\N{ZERO WIDTH NO-BREAK SPACE}a/b",
    "control characters": "a\x01/b\x7f\x85",
    "a non-character": "a\uffff/b",
    "what is special to others": "a.b*c>d?e\\f'g\"h%i$j;k",
    "a dollar sign inside": "a/$b",
    "65,535 bytes": "n" * 65_535,
    "65,535 bytes, not ASCII": "\N{SNOWMAN}" * 21_845,
    "5,000 levels": "/".join(["l"] * 5_000),
    "32,768 empty levels": "/" * 32_767,
}


@pytest.mark.parametrize("qos", [0, 2])
async def test_come_back_as_they_are(tmp_path, qos):
    async with running_broker(tmp_path, users=("sam",), policy=EVERYTHING) as site:
        async with site.client("sam", client_id="one") as one, site.client("sam") as other:
            assert await one.subscribe("#", qos=qos) == bytes([qos])
            for what, where in UNUSUAL.items():
                assert await other.subscribe(where, qos=qos) == bytes([qos]), what
                await one.publish(where, what.encode(), qos, retain=True)
                for client in (one, other):
                    got = await client.message()
                    assert (got.topic, got.payload) == (where, what.encode()), what
                assert await other.messages() == [], what
        async with site.client("sam") as late:
            await late.subscribe("#")
            kept = {one.topic: one.payload.decode() for one in await late.messages()}
            assert kept == {where: what for what, where in UNUSUAL.items()}


async def test_come_back_from_the_disk(tmp_path):
    some = {what: where for what, where in UNUSUAL.items() if len(where) < 100}
    async with running_broker(tmp_path, users=("sam",), policy=EVERYTHING) as site:
        async with site.client("sam", client_id="k\N{SNOWMAN} 1", clean=False) as client:
            for where in some.values():
                await client.subscribe(where)
        async with site.client("sam") as publisher:
            for what, where in some.items():
                await publisher.publish(where, what.encode())
    async with (
        running_broker(tmp_path, users=("sam",), policy=EVERYTHING) as site,
        site.client("sam", client_id="k\N{SNOWMAN} 1", clean=False) as client,
    ):
        got = {one.payload.decode(): one.topic for one in await client.messages()}
        assert got == some


MATCHES = [  # filter, topic, whether: the examples of 4.7.1 to 4.7.3, and those at the edge
    ("sport/tennis/player1/#", "sport/tennis/player1", True),
    ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
    ("sport/#", "sport", True),
    ("sport/#", "sports", False),
    ("sport/tennis/+", "sport/tennis/player1", True),
    ("sport/tennis/+", "sport/tennis/player1/ranking", False),
    ("sport/+", "sport", False),
    ("sport/+", "sport/", True),
    ("+/+", "/finance", True),
    ("/+", "/finance", True),
    ("+", "/finance", False),
    ("#", "/", True),
    ("+/+/+", "a//b", True),
    ("a/+/b", "a//b", True),
    ("+/b/#", "a/b", True),
    ("ACCOUNTS", "Accounts", False),
    ("accounts", "/accounts", False),
    ("#", "$own/x", False),
    ("+/x", "$own/x", False),
    ("+/#", "$own/x", False),
    ("$own/#", "$own/x", True),
    ("$own/+", "$own/x", True),
    ("$own/x", "$own/x", True),
    ("+/$x", "a/$x", True),
    ("a/#", "a/$x", True),
]


async def test_match_what_the_standard_says(tmp_path):
    async with (
        running_broker(tmp_path, users=("sam",), policy=EVERYTHING) as site,
        site.client("sam", client_id="publisher") as publisher,
    ):
        for topic_filter, where, matches in MATCHES:
            async with site.client("sam", client_id="live") as live:
                assert await live.subscribe(topic_filter) == b"\1"
                await publisher.publish(where, b"x", retain=True)
                expected = [where] if matches else []
                assert [one.topic for one in await live.messages()] == expected, topic_filter
            async with site.client("sam", client_id="late") as late:
                await late.subscribe(topic_filter)
                assert [one.topic for one in await late.messages()] == expected, topic_filter
            await publisher.publish(where, b"", retain=True)


async def test_a_packet_may_be_as_large_as_the_limit_says_and_no_larger(tmp_path):
    limits = Limits(packet=5000)
    async with running_broker(tmp_path, limits=limits, users=("sam",), policy=EVERYTHING) as site:
        client = await Client.open(site.port)
        await client.connect("sam")
        await client.subscribe("t")
        await client.publish("t", bytes(5000 - 5))
        assert len((await client.message()).payload) == 5000 - 5
        client.write(mqtt.publish("t", bytes(5000 - 4), 1, False, False, 9))
        with pytest.raises((EOFError, ConnectionError)):
            await client.expect(mqtt.PUBACK)
        await client.drop()
