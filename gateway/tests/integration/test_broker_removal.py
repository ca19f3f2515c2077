"""Clients that are removed, expelled, approved or given another secret: what is theirs goes, at once and on disk."""

import contextlib
import hashlib

import pytest
from broker_support import GATEWAY, KEY, Client, running_broker, secret, topic

from doorward.broker import Role
from doorward.sqlite import connect
from doorward_core import mqtt, topics

EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)


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
        assert site.broker.status().sessions == 1


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
        assert (status.sessions, status.retained) == (0, 1)


def _rows(directory, name):
    """How many rows of broker.db name a device."""
    with contextlib.closing(connect(directory / "broker.db", KEY)) as driver:
        tables = driver.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        kept = [
            row
            for (table,) in tables
            for row in driver.execute(f'SELECT * FROM "{table}"')
            if any(name in str(value).split("/") for value in row)
        ]
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
        assert site.broker.status().retained == 0, "an announcement is never retained"


async def test_a_new_secret_ends_the_connection_of_the_old_one(tmp_path):
    async with running_broker(tmp_path) as site, site.client("front") as front:
        site.principals.add("front", "77" * 32)
        assert await front.is_closed()
        client = await Client.open(site.port)
        assert await client.try_connect("front") == (False, mqtt.BAD_LOGIN)
        await client.drop()
        async with site.client("front", password="77" * 32) as renewed:
            assert not await renewed.is_closed()
