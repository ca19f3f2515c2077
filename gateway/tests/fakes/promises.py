"""The broker's own parts from the packets down to the store, and what its clients were told.

Only sockets and SQLite are missing: clients, disk and time are what a script says.
"""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant

from doorward.broker import Limits, Policy, Principals
from doorward.broker.connections.requests import HANDLERS
from doorward.broker.keeping.answers import Answers
from doorward.broker.keeping.journal import Journal
from doorward.broker.ports import Store
from doorward.broker.rights.rules import Rule
from doorward.broker.routing.router import Router
from doorward.broker.sessions.session import Session
from doorward_core import mqtt, mqtt_stream

NAMES = ("ann", "bob", "cat")
TOPICS = ("school/a", "school/b")
FILTERS = {"school/a": {"school/a"}, "school/+": set(TOPICS), "school/#": set(TOPICS)}
ALLOW = Rule("users", "allow", True, True, "school/#")


class Disk:
    """A store that commits when it is told to."""

    def __init__(self):
        self.pending = deque()
        self.sessions, self.subscriptions, self.messages = {}, {}, {}
        self.retained, self.received = {}, {}

    def write(self, batch, done):
        self.pending.append((batch, done))

    def answer(self, error=None):
        batch, done = self.pending.popleft()
        if error is None:
            self._apply(batch)
        done(error)

    def _apply(self, batch):
        for client in batch.ended:
            self.sessions.pop(client, None)
            for table in (self.subscriptions, self.received):
                for key in [key for key in table if key[0] == client]:
                    del table[key]
            for row in [row for row, kept in self.messages.items() if kept.client == client]:
                del self.messages[row]
        self.sessions.update(batch.sessions)
        _change(self.subscriptions, batch.subscriptions)
        self.messages.update(batch.messages)
        for row in batch.done:
            self.messages.pop(row, None)
        _change(self.retained, batch.retained)
        _change(self.received, {key: held or None for key, held in batch.received.items()})
        named = {client for client, _ in (*self.subscriptions, *self.received)}
        named |= {kept.client for kept in self.messages.values()}
        assert named <= set(self.sessions), "rows of a session that is not there"


def _change(table, changes):
    for key, value in changes.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


class Peer:
    """One connection. What it asks goes to the broker's handlers, what it is told to the script."""

    congested = False

    def __init__(self, script, name, *, clean):
        self.script, self.name, self.clean = script, name, clean
        self.exchange = script
        self.ready, self.gone = True, False
        self.answers = Answers(script.journal, self, 1000)
        self.session = self.opening = None
        self.heard = []  # (type, QoS, packet id, payload), not acknowledged
        self.asked = {}  # packet id -> what was published under it, in order

    def send_all(self, packets):
        for packet in packets:
            self.send(packet)

    def send(self, packet):
        if self.gone:
            return
        ((kind, flags, body),) = mqtt_stream.Decoder().feed(packet)
        if kind == mqtt.PUBLISH:
            _, packet_id, payload = mqtt.parse_publish(flags, body)
            if flags & 6:
                self.heard.append((kind, flags >> 1 & 3, packet_id, payload))
        elif kind == mqtt.PUBREL:
            self.heard.append((kind, 2, mqtt.parse_ack(body), b""))
        else:
            self.script.told(self, kind, int.from_bytes(body[:2], "big"))

    def wait(self):
        raise AssertionError("so few answers are no reason to wait")

    def go_on(self):
        """It never waited."""

    def ask(self, packet):
        ((kind, flags, body),) = mqtt_stream.Decoder().feed(packet)
        HANDLERS[kind << 4 | flags](self, cast(Session, self.session), flags, body)

    def end(self, _reason, *, will=True):
        if self.gone:
            return
        self.gone = True
        self.answers.end()
        if self.opening is not None:
            self.opening.leave()
        elif self.session is not None:
            self.script.router.leave(self.session)
        if self.script.peers.get(self.name) is self:
            del self.script.peers[self.name]


class Loop:
    """Has as much time as the script gives it."""

    def __init__(self):
        self.later = []

    def call_later(self, _seconds, what):
        self.later.append(what)
        return SimpleNamespace(cancel=lambda: self.later.remove(what))


class Promised(RuleBasedStateMachine):
    """Who was told what, and whether it is so: looked at after every step of a script."""

    def __init__(self):
        super().__init__()
        self._loop, self._patch = Loop(), pytest.MonkeyPatch()
        self._patch.setattr(asyncio, "get_running_loop", lambda: self._loop)
        self.disk = Disk()
        self.journal = Journal(cast(Store, self.disk), lambda: None, grace=0.001)
        self.policy, self.principals = Policy("doorward", [ALLOW]), Principals()
        for name in NAMES:
            self.principals.put_user(name, frozenset(), "")
        limits = Limits(inflight=2)
        self.router = Router(self.policy, self.journal, limits, lambda _: None, lambda: 0.0)
        self.journal.start(0)
        self.peers = {}
        self.shut_out = set()
        self._last = {}  # by client, what it asked for last
        self._number = 0
        self._owed = set()  # (payload, client): it has a right to it and did not acknowledge it
        self._safe = set()  # payloads whose publishers were told so
        self._retained = {}  # topic -> what was retained there, in order
        self._least = {}  # topic -> place in that of what its publisher was told is safe
        self._receives, self._wishes = {}, {}  # what a client asked for last, and
        self._promised = {}  # what it was told is so

    def teardown(self):
        """Nothing waits for ever once the disk takes everything."""
        try:
            for _ in range(5):
                self._settle()
                for peer in list(self.peers.values()):
                    peer.ready = True
                    if peer.session:
                        peer.session.resume()
                    while peer.heard and peer.session:
                        self._acknowledge(peer, 0)
            self._settle()
            self.what_was_told_is_on_disk()
            assert not self.journal.answers
            assert not any(peer.asked or peer.opening for peer in self.peers.values())
        finally:
            self._patch.undo()

    def _settle(self):
        for _ in range(4):
            while self.disk.pending:
                self.disk.answer()
            self.journal.retry()
            self.journal.tidy()

    def _forget(self, name):
        """The session is to be no more: nothing is owed to it."""
        self._owed = {one for one in self._owed if one[1] != name}
        for table in (self._wishes, self._promised, self._receives):
            for key in [key for key in table if key[0] == name]:
                del table[key]

    def _subscribed(self, name):
        """topic -> QoS of what the session is to be given."""
        session = self.router.sessions.get(name)
        granted = {}
        if session is not None and not session.clean and name not in self.shut_out:
            for text, qos in session.subscriptions.items():
                for topic in FILTERS[text]:
                    granted[topic] = max(qos, granted.get(topic, 0))
        return granted

    def told(self, peer, kind, packet_id):
        """A client is told something; from now on it relies on it."""
        if kind in (mqtt.PUBACK, mqtt.PUBREC):
            assert next(iter(peer.asked)) == packet_id, "not in the order of the requests"
            payload, retained = peer.asked.pop(packet_id)
            self._safe.add(payload)
            if retained is not None:
                topic, place = retained
                self._least[topic] = max(place, self._least.get(topic, 0))
            key = peer.name, packet_id
            if kind == mqtt.PUBREC and not peer.clean:
                self._promised[key] = True
        elif kind in (mqtt.PUBCOMP, mqtt.SUBACK, mqtt.UNSUBACK) and not peer.clean:
            key = (peer.name, packet_id if kind == mqtt.PUBCOMP else peer.filters[packet_id])
            self._promised[key] = kind == mqtt.SUBACK

    @invariant()
    def what_was_told_is_on_disk(self):
        rows = {(kept.payload, kept.client) for kept in self.disk.messages.values()}
        missing = {one for one in self._owed if one[0] in self._safe} - rows
        assert not missing
        for topic, place in self._least.items():
            kept = self.disk.retained.get(topic)
            assert (kept.payload if kept else b"") in self._retained[topic][place:]
        for key, so in self._promised.items():
            if self._wishes.get(key) is so:
                table = self.disk.received if isinstance(key[1], int) else self.disk.subscriptions
                assert (key in table) is so, key

    def _next(self):
        self._number += 1
        return self._number

    def _here(self, name):
        peer = self.peers.get(name)
        return peer if peer is not None and peer.session is not None else None

    def _acknowledge(self, peer, where, *, flush=True):
        kind, qos, packet_id, payload = peer.heard.pop(where)
        self._owed.discard((payload, peer.name))
        if kind == mqtt.PUBREL:
            peer.ask(mqtt.ack(mqtt.PUBCOMP, packet_id))
        else:
            peer.ask(mqtt.ack(mqtt.PUBACK if qos == 1 else mqtt.PUBREC, packet_id))
        if flush:
            peer.answers.close()
            self.journal.flush()
