"""What was acknowledged is on disk at every instant of any script: clients come, go and lose rights, the disk refuses.

These are the broker's own parts from the packets down to the store; only sockets and SQLite are missing. A kill leaves
what was committed, so that is looked at after every step.
"""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import cast

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from doorward.broker import Limits, Policy, Principals
from doorward.broker.connections.opening import Opening
from doorward.broker.connections.requests import HANDLERS
from doorward.broker.keeping.answers import Answers
from doorward.broker.keeping.journal import Journal
from doorward.broker.ports import Store
from doorward.broker.rights.rules import Rule
from doorward.broker.routing.live_rules import judge_anew
from doorward.broker.routing.router import Router
from doorward.broker.sessions.session import Session
from doorward_core import mqtt, mqtt_stream

NAMES = ("ann", "bob", "cat")
TOPICS = ("school/a", "school/b")
FILTERS = {"school/a": {"school/a"}, "school/+": set(TOPICS), "school/#": set(TOPICS)}
ALLOW = Rule("users", "allow", True, True, "school/#")

names = st.sampled_from(NAMES)
qualities = st.sampled_from([0, 1, 1, 2])
publishes = st.tuples(st.sampled_from(TOPICS), qualities, st.booleans(), st.booleans())


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


class Script(RuleBasedStateMachine):
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

    # --- what may happen --------------------------------------------------------------------------

    @initialize(granted=st.lists(st.tuples(names, qualities), min_size=1, max_size=3))
    def begin(self, granted):
        for name in NAMES:
            self.connect(name, clean=False)
        self._settle()
        for name, qos in granted:
            self.subscribe(name, "school/#", qos, leave=False)
        self._settle()

    @rule(
        name=names,
        what=st.sampled_from(
            ("connect", "connect", "clean", "drop", "drop", "delete", "shut", "ask_again")
        ),
    )
    def come_and_go(self, name, what):
        if what in ("connect", "clean"):
            self.connect(name, clean=what == "clean")
        else:
            getattr(self, what)(name)

    def connect(self, name, clean):
        peer = Peer(self, name, clean=clean)
        if clean:
            self._forget(name)
        principal = self.principals.get(name)
        assert principal is not None
        session, _ = self.router.open(name, principal, clean=clean)
        self.peers[name] = peer
        if not self.journal.owes(name):
            self._let_in(peer, session)
            return

        def begin():
            peer.opening = None
            self._let_in(peer, session)

        peer.opening = Opening(self.router, session, begin=begin, close=peer.end)
        self.journal.confirm(peer.opening, pressing=True)
        self.journal.flush()

    def _let_in(self, peer, session):
        assert (peer.name in self.disk.sessions) is not peer.clean, "CONNACK says otherwise"
        peer.session = session
        peer.filters = {}
        session.attach(peer)

    def drop(self, name):
        peer = self.peers.get(name)
        if peer is not None:
            if peer.clean:
                self._forget(name)
            peer.end("gone")
            self.journal.flush()

    def delete(self, name):
        peer = self.peers.get(name)
        if peer is not None:
            peer.end("deleted")
        self._forget(name)
        self.router.forget(name)
        self.journal.flush()

    @rule(name=names, text=st.sampled_from(sorted(FILTERS)), qos=qualities, leave=st.booleans())
    def subscribe(self, name, text, qos, leave):
        peer = self._here(name)
        if peer is None or name in self.shut_out:
            return
        self._last[name] = lambda: self.subscribe(name, text, qos, leave)
        number = self._next()
        peer.filters[number] = text
        self._wishes[name, text] = not leave
        packet = (
            mqtt.unsubscribe(number, [text]) if leave else mqtt.subscribe(number, [(text, qos)])
        )
        peer.ask(packet)
        peer.answers.close()
        self.journal.flush()

    @rule(name=names, one_read=st.lists(publishes, min_size=1, max_size=3))
    def publish_plainly(self, name, one_read):
        self.publish(name, one_read, ahead=False)

    @rule(name=names, one_read=st.lists(publishes, min_size=1, max_size=3), ahead=st.booleans())
    def publish(self, name, one_read, ahead):
        peer = self._here(name)
        if peer is None or name in self.shut_out:
            return
        self._last[name] = lambda: self.publish(name, one_read[-1:], ahead)
        for topic, qos, retain, clear in one_read:
            number = self._next()
            clear = clear and retain
            payload = b"" if clear else b"%d" % number
            told = b"clear %d" % number if clear else payload
            place = None
            if retain:
                self._retained.setdefault(topic, [b""]).append(payload)
                place = topic, len(self._retained[topic]) - 1
            for other in NAMES:
                if not clear and min(qos, self._subscribed(other).get(topic, 0)):
                    self._owed.add((payload, other))
            if qos:
                peer.asked[number] = told, place
            if qos == 2:
                self._wishes[name, number] = True
            peer.ask(mqtt.publish(topic, payload, qos, retain, False, number))
            if ahead and peer.heard:
                self._acknowledge(peer, 0, flush=False)
        peer.answers.close()
        self.journal.flush()

    @rule(name=names, where=st.integers(0, 3))
    def acknowledge(self, name, where):
        peer = self._here(name)
        if peer is not None and peer.heard:
            self._acknowledge(peer, where % len(peer.heard))

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

    @rule(name=names, which=st.integers(0, 3))
    def release(self, name, which):
        """PUBREL for an id whose PUBREC came, perhaps over an earlier connection, perhaps once more."""
        peer = self._here(name)
        ids = [key[1] for key in self._promised if key[0] == name and isinstance(key[1], int)]
        if peer is not None and ids:
            self._last[name] = lambda: self.release(name, which)
            number = ids[which % len(ids)]
            self._wishes[name, number] = False
            peer.ask(mqtt.ack(mqtt.PUBREL, number))
            peer.answers.close()
            self.journal.flush()

    @rule(name=names)
    def ask_again(self, name):
        """Over a new connection, as clients do that heard no answer over the old one."""
        last = self._last.get(name)
        if last is not None and self._here(name) is not None:
            self.drop(name)
            self.connect(name, clean=False)
            last()

    @rule(name=names, ready=st.booleans())
    def read(self, name, ready):
        """A client reads slower than it is written to, or has caught up."""
        peer = self._here(name)
        if peer is not None:
            peer.ready = ready
            peer.session.resume()
            self.journal.flush()

    def shut(self, name):
        """Its rights are taken, or given back; what it had subscribed to is gone."""
        self.shut_out ^= {name}
        if name in self.shut_out:
            self._owed = {one for one in self._owed if one[1] != name}
            for key in [key for key in self._wishes if key[0] == name and key[1] in FILTERS]:
                del self._wishes[key]
        denied = [Rule(f"user:{one}", "deny", True, True, "school/#") for one in self.shut_out]
        self.policy.use([ALLOW, *denied])
        judge_anew(self.router, self.policy, self.principals)
        self.journal.flush()

    @rule(error=st.sampled_from([None, None, None, OSError("disk full")]))
    def disk_answers(self, error):
        if self.disk.pending:
            self.disk.answer(error)

    @rule(name=names)
    def acknowledge_all(self, name):
        peer = self._here(name)
        while peer is not None and peer.heard:
            self._acknowledge(peer, 0)

    @rule()
    def time_passes(self):
        for due in list(self._loop.later):
            self._loop.later.remove(due)
            due()

    @rule()
    def sweep(self):
        self.journal.retry()
        self.journal.tidy()


Script.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestScript = Script.TestCase
