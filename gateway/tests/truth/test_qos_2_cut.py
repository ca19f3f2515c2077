"""A QoS 2 handshake cut at each of its steps, on either side of the broker: exactly one copy arrives."""

import asyncio

import pytest
from broker_support import GATEWAY, PATIENCE, topic

from doorward_core import mqtt, topics
from truth.peer import Peer

EVENTS = topic("front", topics.EVENTS)
OF_BACK = topic("back", topics.EVENTS)
OF_FRONT = [b"0", b"1", b"2", b"3", b"4"]
BETWEEN = [b"between %d" % number for number in range(3)]


class CutPeer(Peer):
    """Loses its connection at a step: before a packet of that kind arrives, or after it was answered."""

    step = None

    def cut_at(self, step, then):
        """`then` is called in that instant."""
        self.step, self.then = step, then
        self.on_packet = lambda kind: self._goes_on(kind, "lost")

    def _goes_on(self, kind, when):
        if self.step != (kind, when):
            return True
        self.step = None
        self.then()
        return False

    def _handle(self, kind, flags, body):
        super()._handle(kind, flags, body)
        if not self._goes_on(kind, "answered"):
            raise ConnectionResetError


RECEIVING = [(kind, when) for kind in (mqtt.PUBLISH, mqtt.PUBREL) for when in ("lost", "answered")]
SENDING = [(kind, when) for kind in (mqtt.PUBREC, mqtt.PUBCOMP) for when in ("lost", "answered")]


class Course:
    """A board publishes three messages to a gateway; one of the two loses its connection, or the broker is killed."""

    def __init__(self, folder, processes, mutant=None):
        self.folder, self.processes, self.mutant = folder, processes, mutant
        self.gateway, self.front = CutPeer(GATEWAY), CutPeer("front")

    async def run(self, victim, step, *, killed):
        """Payloads as they reached the gateway."""
        async with self.processes.started(self.folder, mutant=self.mutant) as broker:
            await self.gateway.connect(broker.port)
            await self.gateway.subscribe((EVENTS, 2), (OF_BACK, 2))
            await self.front.connect(broker.port)
            self.front.publish(EVENTS, b"0", 2)
            await self.front.settle()
            await self.gateway.settle()  # both sessions are on disk
            victim.cut_at(step, broker.kill if killed else lambda: None)
            for payload in (b"1", b"2", b"3"):
                self.front.publish(EVENTS, payload, 2)
            await victim.ended()
            if not killed:
                return await self._finish(broker.port)
            for peer in (self.gateway, self.front):
                await peer.drop()
        async with self.processes.started(self.folder) as broker:
            return await self._finish(broker.port)

    async def _finish(self, port):
        back = Peer("back")
        await back.connect(port)
        for payload in BETWEEN:
            back.publish(OF_BACK, payload, 2)
        for peer in (self.gateway, self.front):
            peer.on_packet = lambda _kind: True
            if not peer.connected:
                assert await peer.connect(port) == (True, mqtt.ACCEPTED)
        await back.settle()
        await self.front.settle()
        # Under a packet id of those before: what is held for a message that is gone would swallow it.
        self.front._ids = 0
        self.front.publish(EVENTS, b"4", 2)
        await self.front.settle()
        got = []
        async with asyncio.timeout(PATIENCE):
            while b"4" not in got:
                await self.gateway.settle()
                got += [one.payload for one in self.gateway.take()]
        await self.gateway.settle()
        got += [one.payload for one in self.gateway.take()]
        for peer in (self.gateway, self.front, back):
            await peer.drop()
        return got


@pytest.mark.parametrize("killed", [False, True], ids=["reconnect", "killed"])
@pytest.mark.parametrize("side", ["subscriber", "publisher"])
async def test_exactly_one_copy_arrives(tmp_path, processes, side, killed):
    for number, step in enumerate(RECEIVING if side == "subscriber" else SENDING):
        course = Course(tmp_path / str(number), processes)
        victim = course.gateway if side == "subscriber" else course.front
        got = await course.run(victim, step, killed=killed)
        assert [payload for payload in got if payload in BETWEEN] == BETWEEN, step
        assert [payload for payload in got if payload not in BETWEEN] == OF_FRONT, step


@pytest.mark.parametrize(
    ("mutant", "step"),
    [
        ("delivers QoS 2 before the commit", (mqtt.PUBLISH, "answered")),
        ("releases QoS 2 before the commit", (mqtt.PUBREL, "answered")),
    ],
)
async def test_a_broker_in_a_hurry_is_caught(tmp_path, processes, mutant, step):
    course = Course(tmp_path, processes, mutant)
    got = await course.run(course.gateway, step, killed=True)
    assert sorted(got) != sorted((*OF_FRONT, *BETWEEN))
