"""Last words and last messages, at each QoS."""

import itertools

import pytest
from broker_support import GATEWAY, Client, running_broker, topic

from doorward_core import mqtt, topics

OFFLINE = topic("front", topics.OFFLINE)
REPORTED = topic("front", topics.REPORTED)
ONLINE = topic("front", topics.ONLINE)


async def late(site, where, qos=2):
    """What a new subscriber finds."""
    async with site.client(GATEWAY) as client:
        await client.subscribe(where, qos=qos)
        return [(one.payload, one.qos, one.retain) for one in await client.messages()]


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_will_is_published_as_it_says(tmp_path, qos, retain):
    """[MQTT-3.1.2-8], [MQTT-3.1.2-16], [MQTT-3.1.2-17]."""
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(OFFLINE, qos=2)
        front = await Client.open(site.port)
        await front.connect("front", will=(OFFLINE, b"gone", retain, qos))
        assert await gateway.messages() == [], "not before it is gone"
        await front.drop()
        await site.gone("front")
        (got,) = await gateway.messages()
        assert (got.payload, got.qos, got.retain) == (b"gone", qos, False)
    async with running_broker(tmp_path) as site:
        assert await late(site, OFFLINE) == ([(b"gone", qos, True)] if retain else [])


async def by_dropping(_site, client):
    await client.drop()


async def by_a_mistake(_site, client):
    client.write(b"\xf0\x00")
    assert await client.is_closed()
    await client.drop()


async def by_being_replaced(site, client):
    async with site.client("front"):
        pass
    await client.drop()


@pytest.mark.parametrize("ends", [by_dropping, by_a_mistake, by_being_replaced])
async def test_a_will_is_published_once(tmp_path, ends):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(OFFLINE)
        client = await Client.open(site.port)
        await client.connect("front", will=(OFFLINE, b"gone", False, 1))
        await ends(site, client)
        await site.gone("front")
        assert [one.payload for one in await gateway.messages()] == [b"gone"]


async def test_a_will_waits_for_who_is_away_and_is_forgotten_by_a_goodbye(tmp_path):
    """[MQTT-3.14.4-3]."""
    async with running_broker(tmp_path) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe(OFFLINE, qos=2)
        for payload, orderly in ((b"kept", False), (b"forgotten", True)):
            front = await Client.open(site.port)
            await front.connect("front", will=(OFFLINE, payload, False, 2))
            await (front.disconnect() if orderly else front.drop())
            await site.gone("front")
    async with running_broker(tmp_path) as site, site.client(GATEWAY, clean=False) as gateway:
        got = await gateway.message()
        assert (got.payload, got.qos) == (b"kept", 2)
        assert await gateway.messages() == []


async def test_an_empty_will_clears_what_is_retained(tmp_path):
    async with running_broker(tmp_path) as site:
        async with site.client("front", will=(ONLINE, b"", True, 1)) as front:
            await front.publish(ONLINE, b"on", retain=True)
            assert await late(site, ONLINE) == [(b"on", 1, True)]
        assert await late(site, ONLINE) == []


async def test_retained_comes_at_the_lower_qos_of_both_and_over_a_restart(tmp_path):
    async with running_broker(tmp_path) as site, site.client("front") as front:
        for qos, granted in itertools.product((0, 1, 2), (0, 1, 2)):
            await front.publish(REPORTED, b"%d" % qos, qos, retain=True)
            expected = [(b"%d" % qos, min(qos, granted), True)]
            assert await late(site, REPORTED, granted) == expected
    async with running_broker(tmp_path) as site:
        assert await late(site, REPORTED) == [(b"2", 2, True)]


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_an_empty_payload_is_delivered_and_retains_nothing(tmp_path, qos):
    """[MQTT-3.3.1-10], [MQTT-3.3.1-11]."""
    async with running_broker(tmp_path) as site, site.client("front") as front:
        await front.publish(REPORTED, b"state", qos, retain=True)
        async with site.client(GATEWAY) as live:
            await live.subscribe(REPORTED, qos=2)
            assert [(one.payload, one.retain) for one in await live.messages()] == [
                (b"state", True)
            ]
            await front.publish(REPORTED, b"", qos, retain=True)
            got = [(one.payload, one.retain) for one in await live.messages()]
            assert got == [(b"", False)]
        assert await late(site, REPORTED) == []


async def test_what_is_not_to_be_retained_leaves_what_is(tmp_path):
    """[MQTT-3.3.1-12]."""
    async with running_broker(tmp_path) as site, site.client("front") as front:
        await front.publish(REPORTED, b"kept", retain=True)
        await front.publish(REPORTED, b"passing")
        assert await late(site, REPORTED) == [(b"kept", 1, True)]


async def test_subscribing_again_brings_retained_again(tmp_path):
    """[MQTT-3.8.4-3]."""
    async with running_broker(tmp_path) as site, site.client("front") as front:
        await front.publish(REPORTED, b"state", 2, retain=True)
        async with site.client(GATEWAY) as client:
            for qos in (1, 2, 0):
                await client.subscribe("doorward/devices/+/status/#", qos=qos)
                got = [(one.payload, one.qos, one.retain) for one in await client.messages()]
                assert got == [(b"state", qos, True)]


async def test_retained_of_qos_2_reaches_a_kept_session_once(tmp_path):
    async with running_broker(tmp_path) as site, site.client("front") as front:
        await front.publish(REPORTED, b"state", 2, retain=True)
        async with site.client(GATEWAY, clean=False) as client:
            client.write(mqtt.subscribe(1, [(REPORTED, 2)]))
            got = await client.message(ack=False)
            assert (got.qos, got.retain, got.dup) == (2, True, False)
        async with site.client(GATEWAY, clean=False) as client:
            (again,) = await client.messages()
            assert (again.packet_id, again.retain, again.dup) == (got.packet_id, True, True)
        async with site.client(GATEWAY, clean=False) as client:
            assert await client.messages() == []
