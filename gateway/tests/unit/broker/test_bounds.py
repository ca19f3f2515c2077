"""What waits is bounded: for one user, for all clients, and while the disk refuses."""

import asyncio

import pytest
from broker_support import GATEWAY, PATIENCE, Client, running_broker, secret, topic
from fakes.session import FakeLink, committed, say, session_of

from doorward.broker import Limits, Principal, Role
from doorward.broker.routing.quotas import Quotas
from doorward.broker.routing.retained import RetainedMessages
from doorward.broker.sessions.session import Session
from doorward.broker.sessions.share import EACH, Share
from doorward.errors import Unavailable
from doorward_core import mqtt, topics

EVENTS = topic("front", topics.EVENTS)


async def test_what_waits_for_one_user_is_bounded_over_all_its_sessions(tmp_path):
    room = 10 * (100 + EACH)
    limits = Limits(queued_bytes_per_user=room)
    async with running_broker(tmp_path, users=("sam", "eve"), limits=limits) as site:
        for name in ("sam/1", "sam/2", "eve/1"):
            owner = name.partition("/")[0]
            async with site.client(owner, client_id=name, clean=False) as away:
                await away.subscribe("school/#")
        async with site.client("eve") as eve:
            for _ in range(9):
                await eve.publish("school/bell", bytes(100))
        sessions = site.broker._router.sessions
        assert [sessions[name].unsettled for name in ("sam/1", "sam/2", "eve/1")] == [5, 5, 9]
        assert site.broker.status().dropped == 8
        # What was taken, what is forgotten and what came back after a start make room as they should.
        async with site.client("sam", client_id="sam/1", clean=False) as sam:
            assert len(await sam.messages()) == 5
        async with site.client("eve") as eve:
            await eve.publish("school/bell", bytes(100))
        assert [sessions[name].unsettled for name in ("sam/1", "sam/2")] == [1, 6]
    async with running_broker(tmp_path, users=("sam", "eve"), limits=limits) as site:
        sessions = site.broker._router.sessions
        share = sessions["sam/1"]._queue.share
        assert share.size == 7 * (100 + EACH)
        assert sessions["sam/2"]._queue.share is share
        async with site.client("sam", client_id="sam/2"):
            pass
        assert share.size == 100 + EACH
        site.principals.remove("sam")
        assert share.size == 0


def test_boards_and_the_gateway_have_no_share():
    quotas = Quotas(Limits(), {}, RetainedMessages())
    assert quotas.share_of(Principal("front")) is None
    assert quotas.share_of(Principal("gateway", Role.GATEWAY)) is None
    assert isinstance(quotas.share_of(Principal("sam", Role.USER)), Share)


class Full:
    """A disk that takes nothing, until it does."""

    def __init__(self, broker):
        self._broker = broker
        self._write = broker._store.write
        broker._store.write = lambda _batch, done: done(Unavailable("full", "make room"))

    async def empty(self):
        self._broker._store.write = self._write
        self._broker.sweep()
        await self._broker.settle()


async def until(true):
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what the other side's socket makes of it
            await asyncio.sleep(0.005)


async def test_all_clients_together_wait_for_the_disk_within_bounds(tmp_path):
    devices = tuple(f"d{number}" for number in range(8))
    limits = Limits(uncommitted_all=20)
    async with running_broker(tmp_path, devices, limits=limits) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe("doorward/devices/+/telemetry/events")
        full = Full(site.broker)
        boards = [await Client.open(site.port) for _ in devices]
        for board, name in zip(boards, devices, strict=True):
            await board.connect(name)
        for turn in range(1, 6):
            for board, name in zip(boards, devices, strict=True):
                for number in range(5):
                    where = topic(name, topics.EVENTS)
                    board.write(mqtt.publish(where, b"x", 1, False, False, 5 * turn + number))
            await asyncio.sleep(0.02)
        journal = site.broker._journal
        await until(lambda: journal.crowded)
        await asyncio.sleep(0.05)
        # Each may be read from once more before it is told to wait.
        assert 20 <= journal.answers <= 20 + 5 * len(devices)
        await full.empty()
        for board in boards:
            for _ in range(25):
                await board.expect(mqtt.PUBACK)
        assert journal.answers == 0
        for board in boards:
            await board.drop()
        await asyncio.gather(*map(site.gone, devices))


async def test_who_leaves_waits_for_nothing(tmp_path):
    async with running_broker(tmp_path) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe(EVENTS)
        full = Full(site.broker)
        journal = site.broker._journal
        async with site.client("front") as front:
            front.write(mqtt.publish(EVENTS, b"1", 1, False, False, 1))
            await until(lambda: journal.answers == 1)
        assert journal.answers == 0
        await full.empty()
        assert journal.answers == 0


async def test_coming_again_and_again_adds_no_more_while_the_disk_refuses(tmp_path):
    limits = Limits(uncommitted_all=40, uncommitted=4)
    async with running_broker(tmp_path, users=("sam",), limits=limits) as site:
        async with site.client("sam", clean=False):
            pass
        full = Full(site.broker)
        journal = site.broker._journal
        site.principals.add("side", secret("side"))
        await until(lambda: journal.stuck)
        answers = set()
        for turn in range(30):
            sam = await Client.open(site.port)
            _, code = await sam.try_connect("sam", clean=False)
            answers.add(code)
            if code == mqtt.ACCEPTED:
                for number in range(4):
                    text = f"school/{turn}/{number}"
                    sam.write(mqtt.subscribe(1 + number, [(text, 1)]))
                    sam.write(mqtt.unsubscribe(5 + number, [text]))
                sam.write(mqtt.pingreq())
                subscribed = len(journal._open.subscriptions)
                await until(lambda most=subscribed: len(journal._open.subscriptions) > most)
            await sam.drop()  # the next one takes its session over
        assert answers == {mqtt.ACCEPTED, mqtt.UNAVAILABLE}
        assert len(journal._open.subscriptions) < 60
        async with site.client("front") as board:
            assert not await board.is_closed(), "boards come in"
        await full.empty()
        async with site.client("sam", clean=False) as sam:
            await sam.subscribe("school/#")


def test_what_waits_for_the_disk_is_withdrawn_with_the_right_to_it(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    session.deliver(say("secret", 2), 2)
    session.forget_unreadable(lambda _topic: False)
    session.deliver(say("open", 2), 2)
    committed(journal, store)
    steps = link.steps()
    assert (mqtt.PUBREL, 1, False) in steps, "the handshake comes to its end without the message"
    assert (mqtt.PUBLISH, 1, False) not in steps
    assert (mqtt.PUBLISH, 2, False) in steps
    session.completed(1)
    session.received_by_client(2)
    session.completed(2)
    assert session.unsettled == 0


def test_a_call_that_waited_keeps_its_place_on_disk(journal, store):
    """It gets a row when it is sent alone; what came behind it had one before."""
    session, link = session_of(journal, inflight=1), FakeLink()
    session.attach(link)
    session.deliver(say("first"), 1)
    session.deliver(say("call", 2, keep=False), 2)
    session.deliver(say("last"), 1)
    session.acknowledged(1)
    committed(journal, store)
    rows = {}
    for batch in store.batches:
        rows |= batch.messages
        rows = {row: one for row, one in rows.items() if row not in batch.done}
    order = [one.payload for _, one in sorted(rows.items())]
    assert order == [b"call", b"last"]
    after = Session("front", Principal("front"), journal, Limits(), clean=False)
    after.restore(one for _, one in sorted(rows.items()))
    again = FakeLink()
    after.attach(again)
    committed(journal, store)
    assert [text for text, _, _ in again.take()] == ["call", "last"]


@pytest.mark.parametrize("role", [Role.USER, Role.API])
def test_people_share_by_name(role):
    quotas = Quotas(Limits(), {}, RetainedMessages())
    share = quotas.share_of(Principal("sam", role))
    assert quotas.share_of(Principal("sam", role)) is share
    assert quotas.share_of(Principal("eve", role)) is not share
