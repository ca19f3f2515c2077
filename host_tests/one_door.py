# One board's node parts, wired as assembly.py does, with hand-made hardware and a ruled clock.

from doorward_core import access_values, door, gateway_messages, seal, topics
from doorward_core.compat import ticks_add
from doorward_node.backoff import Backoff
from doorward_node.clock import Clock
from doorward_node.commands import Commands
from doorward_node.doorway import Doorway
from doorward_node.session import Session
from doorward_node.taps import Taps

KEY = bytes(range(32))
# Just before an ESP32's ticks wrap.
START = (1 << 30) - 400
UID = bytes.fromhex("04a1b2c3d4e5f6")


class Strike:
    # Remembers every change of the relay: the witness of these tests.
    def __init__(self, cap_ms=10000):
        self.cap_ms = cap_ms
        self.moves = []

    def energise(self):
        self.moves.append(1)

    def de_energise(self):
        self.moves.append(0)


class Contact:
    def __init__(self):
        self.on = False
        self._next = False

    def move(self, is_open):
        self._next = is_open

    def sample(self):
        changed = self._next != self.on
        self.on = self._next
        return changed


class Records:
    # A cache of credentials by UID, and the door's policy.
    def __init__(self):
        self.known = {}
        self.is_stale = False
        self.closed = ()
        self.config = access_values.Door()

    def lookup(self, uid, utc, uptime):
        return self.known.get(uid)

    def holidays(self):
        return self.closed

    def stale(self, utc):
        return self.is_stale


class Site:
    def __init__(self, device="front", key=KEY):
        self.now = START
        self.keys = seal.Keys(device, key)
        self.log = []
        self.strike = Strike()
        self.contact = Contact()
        self.records = Records()
        self.session = Session(self.keys)
        self.clock = Clock(self.now)
        self.door = Doorway(self.strike, self.contact, door.Settings(), self.note, self.now)
        gate = Backoff(0, self.note)
        self.taps = Taps(0, self.session, self.records, self.clock, self.door, self.note, gate)
        self.commands = Commands(self.door)

    def note(self, kind, data):
        self.log.append((kind, data))

    def wait(self, ms, online=True):
        # Lets time pass in the steps of the door's loop.
        while ms > 0:
            step = min(ms, 25)
            ms -= step
            self.now = ticks_add(self.now, step)
            self.door.tick(self.now)
            self.taps.tick(self.now, online)
            self.commands.expire(self.now)

    def tap(self, uid=UID, online=True):
        # The nonce word of the request; None if the board asked nobody.
        request = self.taps.begin(uid, self.now, online)
        return (
            seal.open_sealed(self.keys, topics.ACCESS_REQUEST, request).freshness
            if request
            else None
        )

    def hear(self, suffix, payload):
        # What app.py does with a payload from the broker.
        kind, value, body = self.session.open(suffix, payload)
        if suffix == topics.ACCESS_RESPONSE:
            if not self.taps.answer(value, body, self.now):
                raise seal.SealError("late")
            return None
        return self.commands.handle(kind, value, body, self.now)

    def decisions(self):
        return [data for kind, data in self.log if kind == "access.decision"]


def answer(keys, word, granted=True, seconds=3, suffix=topics.ACCESS_RESPONSE):
    body = gateway_messages.access_answer(granted, 10, seconds, "2026-11-21T10:30:00Z")
    return seal.seal(keys, suffix, word, body)


def command(keys, word, name, parameters, command_id="c1"):
    body = gateway_messages.command(name, parameters, command_id, "2026-11-21T10:30:00Z", 30)
    return seal.seal(keys, topics.CONTROL, word, body)


def time_is(site, utc):
    assert site.clock.set((utc, 60, 0, 0), 20, site.now)
