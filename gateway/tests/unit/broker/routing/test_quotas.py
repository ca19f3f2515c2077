"""What clients may leave in the broker's memory: who is over it is refused, and everybody else goes on."""

import gc
import tracemalloc

import pytest
from broker_support import Client, running_broker, topic

from doorward.broker import Limits, Policy, Principals, Role
from doorward.broker.ports import KeptRetained
from doorward.broker.rights.rules import Rule
from doorward.broker.routing.retained import RetainedMessages, cost
from doorward_core import mqtt, topics

DEEP = "school/" + "/" * 60


async def test_a_user_keeps_so_many_sessions(tmp_path):
    async with running_broker(tmp_path, users=("sam", "eve"), limits=Limits(sessions=2)) as site:
        for name in ("a", "b", "a"):
            async with site.client("sam", client_id=name, clean=False):
                pass
        client = await Client.open(site.port)
        assert await client.try_connect("sam", client_id="c", clean=False) == (
            False,
            mqtt.BAD_CLIENT_ID,
        )
        assert site.denials[-1].rule == "2 sessions of its own are kept already"
        await client.drop()
        async with (
            site.client("sam", client_id="c") as clean,
            site.client("eve", client_id="d", clean=False),
            site.client("front", clean=False),
        ):
            again = await Client.open(site.port)
            assert (await again.try_connect("sam", client_id="c", clean=False))[1] == (
                mqtt.BAD_CLIENT_ID
            ), "a clean session is not turned into one that is kept"
            await again.drop()
            assert not await clean.is_closed()


async def test_deep_filters_are_bounded_for_all_sessions_of_a_user(tmp_path):
    async with (
        running_broker(tmp_path, users=("sam", "eve"), limits=Limits(levels=150)) as site,
        site.client("sam", client_id="a") as one,
        site.client("sam", client_id="b") as other,
        site.client("eve") as eve,
    ):
        assert await one.subscribe(DEEP + "1", DEEP + "2") == bytes([1, 1])
        assert await other.subscribe(DEEP + "3", "school/flat") == bytes([mqtt.REFUSED, 1])
        assert site.denials[-1].rule == "too-deep"
        assert await one.subscribe(DEEP + "1", qos=0) == bytes([0]), "it has that one already"
        assert await eve.subscribe(DEEP + "3") == bytes([1])


async def test_users_retain_so_much_and_boards_go_on(tmp_path):
    most = cost("school/a", bytes(1000)) + cost("school/b", bytes(1000))
    async with (
        running_broker(tmp_path, users=("sam",), limits=Limits(retained_bytes=most)) as site,
        site.client("sam") as sam,
        site.client("front") as front,
    ):
        for name in ("a", "b", "c"):
            await sam.publish(f"school/{name}", bytes(1000), retain=True)
        assert [one.topic for one in site.denials] == ["school/c"]
        assert site.denials[0].rule == "retained-full"
        await sam.publish("school/a", bytes(999), retain=True)
        await sam.publish("school/b", b"", retain=True)
        await sam.publish("school/c", bytes(1000), retain=True)
        await sam.publish("school/d", bytes(1000))
        await front.publish(topic("front", topics.REPORTED), b"{}", retain=True)
        assert len(site.denials) == 1
        await sam.subscribe("school/#")
        kept = {one.topic: len(one.payload) for one in await sam.messages()}
        assert kept == {"school/a": 999, "school/c": 1000}
        assert site.broker.status().retained == 3


async def test_one_user_does_not_fill_the_room_of_all(tmp_path):
    limits = Limits(retained_bytes=10_000, retained_bytes_per_user=3000)

    async with (
        running_broker(tmp_path, users=("sam", "eve"), limits=limits) as site,
        site.client("sam") as sam,
        site.client("eve") as eve,
    ):
        for name in "abc":
            await sam.publish(f"school/{name}", bytes(900), retain=True)
        assert [one.rule for one in site.denials] == ["retained-full"]
        await eve.publish("school/c", bytes(900), retain=True)
        await eve.publish("school/a", bytes(900), retain=True)
        await sam.publish("school/d", bytes(900), retain=True)
        assert len(site.denials) == 1, "what eve wrote over is hers now"
        await sam.publish("school/a", bytes(900), retain=True)
        assert len(site.denials) == 2
    async with (
        running_broker(tmp_path, users=("sam", "eve"), limits=limits) as site,
        site.client("sam") as sam,
    ):
        await sam.publish("school/e", bytes(900), retain=True)
        assert len(site.denials) == 1, "a new start forgives nothing"
        await sam.publish("school/d", b"", retain=True)
        await sam.publish("school/e", bytes(900), retain=True)
        assert len(site.denials) == 1


@pytest.mark.parametrize("where", ["a", "a/" + "/" * 1000])
def test_what_is_retained_is_measured(where):
    retained = RetainedMessages()
    retained.put("b", KeptRetained(b"1", 1))
    gc.collect()  # what earlier tests left says so elsewhere
    tracemalloc.start()
    retained.put(where, KeptRetained(bytes(50_000), 1))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 0.8 * taken < cost(where, bytes(50_000)) < 2 * taken
    retained.put(where, KeptRetained(b"12", 1))
    assert retained.size == cost("b", b"1") + cost(where, b"12")
    assert retained.get(where) == KeptRetained(b"12", 1)
    assert retained.get(where + "/c") is None
    retained.clear(where)
    assert retained.get(where) is None
    retained.clear(where)
    assert retained.size == cost("b", b"1")


def test_long_topics_are_judged_and_not_remembered():
    principals = Principals()
    sam = principals.put_user("sam", frozenset(), "")
    assert sam.role is Role.USER
    policy = Policy("doorward", [Rule("user:sam", "allow", True, True, "school/#")])
    tracemalloc.start()
    for number in range(200):
        where = f"school/{number}/" + "n" * 60_000
        assert policy.refuses_publish(sam, where) is None
        assert policy.may_read(sam, where)
        assert policy.refuses_publish(sam, where[1:]) is not None
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken < 1_000_000
