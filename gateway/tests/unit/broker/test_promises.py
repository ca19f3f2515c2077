"""What was acknowledged is on disk at every instant of any script: clients come, go and lose rights, the disk refuses.

These are the broker's own parts from the packets down to the store; only sockets and SQLite are missing. A kill leaves
what was committed, so that is looked at after every step.
"""

import hypothesis.strategies as st
from fakes.promises import ALLOW, FILTERS, NAMES, TOPICS, Peer, Promised
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, rule

from doorward.broker.connections.opening import Opening
from doorward.broker.rights.rules import Rule
from doorward.broker.routing.live_rules import judge_anew
from doorward_core import mqtt

names = st.sampled_from(NAMES)
qualities = st.sampled_from([0, 1, 1, 2])
publishes = st.tuples(st.sampled_from(TOPICS), qualities, st.booleans(), st.booleans())


class Script(Promised):
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
