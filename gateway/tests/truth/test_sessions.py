"""Random sessions bring everybody what they bring with Mosquitto."""

import random

import pytest

from doorward.broker.routing.retained import RetainedMessages
from doorward.broker.routing.router import Router
from doorward.broker.sessions.session import Session
from truth import peer
from truth.peer import Peer
from truth.scripts import CLIENTS, CONTROL, Stage, Step, script
from truth.two_brokers import two_brokers

SCRIPTS = 40
LENGTH = 30
REPEATS = 5


Difference = tuple[int, object, object]


async def differs(ports: dict[str, int], steps: list[Step]) -> Difference | None:
    """(step, what came with ours, what came with Mosquitto) where the two part."""
    ours = await Stage(ports["doorward"]).play(steps)
    theirs = await Stage(ports["mosquitto"]).play(steps)
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        if one != other:
            return number, one, other
    return None


async def differs_again(ports: dict[str, int], steps: list[Step]) -> Difference | None:
    """The same, of a script that differed: it is played some more times."""
    for _ in range(REPEATS):
        found = await differs(ports, steps)
        if found is not None:
            return found
    return None


async def smallest(ports: dict[str, int], steps: list[Step], found: Difference) -> str:
    """What is left of a script that differs when nothing can be left out any more."""
    steps = steps[: found[0] + 1]
    for index in reversed(range(len(steps))):
        fewer = steps[:index] + steps[index + 1 :]
        again = await differs(ports, fewer)
        if again is not None:
            steps, found = fewer[: again[0] + 1], again
    return told(steps, found)


def told(steps: list[Step], found: Difference) -> str:
    """A script up to where it differs, and what came there."""
    lines = "\n".join(f"  {step}" for step in steps[: found[0] + 1])
    return f"{lines}\ndoorward:  {found[1]}\nmosquitto: {found[2]}"


async def highest_granted(port: int) -> int:
    """The QoS that ours grants to who asks for 2."""
    asks = Peer(CONTROL)
    await asks.connect(port, clean=True)
    (granted,) = await asks.subscribe(("a", 2))
    await asks.disconnect()
    return granted


@pytest.mark.timeout(600)
async def test_random_sessions_bring_what_they_bring_with_mosquitto(tmp_path, seed):
    async with two_brokers(tmp_path, (*CLIENTS, CONTROL)) as ports:
        highest = await highest_granted(ports["doorward"])
        once = []
        for number in range(SCRIPTS):
            steps = script(random.Random(f"{seed} {number}"), LENGTH, highest)
            found = await differs(ports, steps)
            if found is None:
                continue
            again = await differs_again(ports, steps)
            if again is not None:
                pytest.fail(f"seed {seed}, script {number}:\n{await smallest(ports, steps, again)}")
            once.append(f"seed {seed}, script {number}, once:\n{told(steps, found)}")
        # When a broker notices that a client is gone is its own affair: on a busy machine that may be a step later.
        assert len(once) <= 1, "\n".join(once)


@pytest.mark.parametrize(
    ("owner", "method", "instead"),
    [
        (RetainedMessages, "clear", lambda _retained, _topic: False),
        (Session, "resume", lambda _session: None),
        (Router, "unsubscribe", lambda _router, _session, _filters: False),
        (Router, "_send_retained", lambda _router, _session, _filter: None),
    ],
    ids=[
        "retained stays",
        "nothing is sent again",
        "unsubscribed is not heard",
        "nothing retained comes",
    ],
)
async def test_a_broker_that_forgets_a_rule_is_caught(
    tmp_path, seed, monkeypatch, owner, method, instead
):
    assert hasattr(owner, method)
    monkeypatch.setattr(peer, "PATIENCE", 3.0)
    monkeypatch.setattr(owner, method, instead)
    async with two_brokers(tmp_path, (*CLIENTS, CONTROL)) as ports:
        highest = await highest_granted(ports["doorward"])
        for number in range(SCRIPTS):
            steps = script(random.Random(f"{seed} {number}"), LENGTH, highest)
            try:
                if await differs(ports, steps):
                    return
            except TimeoutError:
                return
        pytest.fail("nobody noticed")
