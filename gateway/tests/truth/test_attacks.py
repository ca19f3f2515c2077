"""Attacks that other brokers are known to fail, on ours as it is, and on ours with the defence taken out.

An attack says what it achieved, by delivery; as it is that is nothing, and without the defence it has to be something.
"""

import contextlib
from collections.abc import AsyncIterator

import pytest
from broker_support import GATEWAY, Client, running_broker, secret, topic

from doorward.broker.connections import admission
from doorward.broker.connections.entrance import Entrance
from doorward.broker.identity.principals import Principals
from doorward.broker.keeping.messages import Message
from doorward.broker.routing.router import Router
from doorward_core import mqtt, topics

VICTIM = "phone"  # the client id of one of ann's clients
WHERE = "school/class"
CONFIG = topic("back", topics.CONFIG)


async def _steals(site, *, user: str, password: str, clean: bool) -> list[str]:
    """CONNECT with the client id of a victim who is there, and again while it is away."""
    achieved = []
    async with site.client("carol") as other:
        victim = await Client.open(site.port)
        await victim.connect("ann", client_id=VICTIM, clean=False)
        await victim.subscribe(WHERE)
        for away in (False, True):
            if away:
                await victim.drop()
                await site.gone(VICTIM)
                await other.publish(WHERE, b"queued")
            thief = await Client.open(site.port)
            _, code = await thief.try_connect(
                user, password=password, client_id=VICTIM, clean=clean
            )
            if code == mqtt.ACCEPTED:
                achieved.append("it is let in")
                achieved += [f"it reads {one.payload!r}" for one in await thief.messages()]
            await thief.drop()
            if away:
                victim = await Client.open(site.port)
                await victim.connect("ann", client_id=VICTIM, clean=False)
            else:
                await other.publish(WHERE, b"for ann")
            try:
                got = [one.payload for one in await victim.messages()]
            except (EOFError, ConnectionError):
                await victim.drop()
                return [*achieved, "the victim is cut off"]
            if got != [b"queued" if away else b"for ann"]:
                achieved.append(f"the victim gets {got}")
        await victim.drop()
    return achieved


async def _leaves_a_will(site) -> list[str]:
    """A will where its client may not publish, beside one where it may."""
    forged, mine = topic("back", topics.REPORTED), topic("front", topics.OFFLINE)
    async with site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#")
        for where in (forged, mine):
            front = await Client.open(site.port)
            _, code = await front.try_connect("front", will=(where, b"last word", True, 1))
            assert (code == mqtt.ACCEPTED) or where == forged
            await front.drop()
            await site.gone("front")
        told = [one.topic for one in await gateway.messages()]
    assert mine in told, "the positive control"
    return [f"a will on {where}" for where in told if where != mine]


async def _listens_without_subscribing(site) -> list[str]:
    """A fresh client beside retained messages of others; then one that subscribes to its own."""
    async with site.client(GATEWAY) as gateway:
        for where in (CONFIG, topic("front", topics.CONFIG)):
            await gateway.publish(where, b"kept", retain=True)
    achieved = []
    for clean in (True, False):
        async with site.client("front", clean=clean) as fresh:
            achieved += [f"{one.topic} unasked" for one in await fresh.messages()]
            await fresh.subscribe(topic("front", topics.CONFIG))
            got = [one.topic for one in await fresh.messages()]
            assert topic("front", topics.CONFIG) in got, "the positive control"
            achieved += [where for where in got if where == CONFIG]
    return achieved


async def _fails_to_be_the_gateway(site) -> list[str]:
    """A refused CONNECT as the gateway, with everything it would do then behind it; and one from inside."""
    achieved = []
    async with site.client(GATEWAY) as gateway:
        await gateway.publish(CONFIG, b"kept", retain=True)
    wants = mqtt.connect(GATEWAY, 0, True, GATEWAY, "wrong") + mqtt.subscribe(1, [(CONFIG, 1)])
    stranger = await Client.open(site.port)
    stranger.write(wants)
    device = await Client.open(site.port)
    await device.connect("front")
    device.write(wants)
    for client in (stranger, device):
        with contextlib.suppress(EOFError, ConnectionError):
            achieved += [one.topic for one in await client.messages()]
        await client.drop()
    async with site.client(GATEWAY) as gateway:
        await gateway.subscribe(CONFIG)
        assert len(await gateway.messages()) == 1, "the positive control"
    return achieved


# --- without the defence ----------------------------------------------------------------------------


def _opens_before_it_asks(patch) -> None:
    asks = Entrance._on_connect

    def on_connect(entrance, packet):
        exchange = entrance._exchange
        session = exchange.router.sessions.get(packet.client_id)
        if session is not None:
            exchange.router.open(packet.client_id, session.principal, clean=packet.clean)
        asks(entrance, packet)

    patch.setattr(Entrance, "_on_connect", on_connect)


def _asks_nobody_whose_session_it_is(patch) -> None:
    patch.setattr(admission, "_refuses_id", lambda *_given: None)


def _believes_every_password(patch) -> None:
    patch.setattr(Principals, "check", lambda principals, name, _secret: principals.get(name))


def _publishes_every_will(patch) -> None:
    publish = Router.publish

    def careless(router, principal, where, payload, qos, *, action="publish", **given):
        if action == "will":
            owner = principal.name if given["retain"] else None
            router._route(where, payload, qos, owner=owner)
            return False
        return publish(router, principal, where, payload, qos, action=action, **given)

    patch.setattr(Router, "refuses_will", lambda *_given: None)
    patch.setattr(Router, "publish", careless)


def _greets_with_all_that_is_retained(patch) -> None:
    opens = Router.open

    def open_(router, *given, **options):
        session, present = opens(router, *given, **options)
        for where, kept in router.retained.match("#"):
            session.deliver(Message(where, kept.payload, 1, retain=True), 1)
        return session, present

    patch.setattr(Router, "open", open_)


ATTACKS = {
    "a wrong password and the client id of a victim, clean": (
        lambda site: _steals(site, user="ann", password="wrong", clean=True),
        _opens_before_it_asks,
    ),
    "a wrong password and the client id of a victim, to keep": (
        lambda site: _steals(site, user="ann", password="wrong", clean=False),
        _opens_before_it_asks,
    ),
    "another user and the client id of a victim, clean": (
        lambda site: _steals(site, user="bob", password=secret("bob"), clean=True),
        _asks_nobody_whose_session_it_is,
    ),
    "another user and the client id of a victim, to keep": (
        lambda site: _steals(site, user="bob", password=secret("bob"), clean=False),
        _asks_nobody_whose_session_it_is,
    ),
    "a will on a topic that is not one's own": (_leaves_a_will, _publishes_every_will),
    "listening without a subscription": (
        _listens_without_subscribing,
        _greets_with_all_that_is_retained,
    ),
    "a failed CONNECT as the gateway": (_fails_to_be_the_gateway, _believes_every_password),
}


@pytest.fixture
async def site(tmp_path) -> AsyncIterator:
    async with running_broker(tmp_path, users=("ann", "bob", "carol")) as site:
        yield site


@pytest.mark.parametrize("attack", [attack for attack, _ in ATTACKS.values()], ids=ATTACKS.keys())
async def test_the_attack_achieves_nothing(site, attack):
    assert await attack(site) == []


@pytest.mark.parametrize(("attack", "mutant"), ATTACKS.values(), ids=ATTACKS.keys())
async def test_without_the_defence_it_does(site, attack, mutant, monkeypatch):
    mutant(monkeypatch)
    assert await attack(site)
