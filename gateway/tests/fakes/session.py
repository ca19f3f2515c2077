"""A link, a store and somebody who waits: they write down what a session and its journal give them."""

from doorward.broker import Limits, Principal
from doorward.broker.keeping.messages import Delivery, Message
from doorward.broker.ports import Kept
from doorward.broker.sessions.session import Session
from doorward_core import mqtt, mqtt_stream

FRONT = Principal("front")


class FakeLink:
    def __init__(self):
        self.packets = []
        self.ready = True
        self.congested = False
        self.gone = False

    def send(self, packet):
        self.packets.append(packet)

    def send_all(self, packets):
        self.packets += packets

    def end(self, reason, *, will=True):
        raise AssertionError(reason)

    def take(self):
        """(payload, packet id, DUP) of what was sent since the last call."""
        found = []
        for _, flags, body in mqtt_stream.Decoder().feed(b"".join(self.packets)):
            _, packet_id, payload = mqtt.parse_publish(flags, body)
            found.append((payload.decode(), packet_id, bool(flags & 8)))
        self.packets.clear()
        return found

    def steps(self):
        """(packet type, packet id, DUP) of what was sent since the last call."""
        found = []
        for kind, flags, body in mqtt_stream.Decoder().feed(b"".join(self.packets)):
            publish = kind == mqtt.PUBLISH
            packet_id = mqtt.parse_publish(flags, body)[1] if publish else mqtt.parse_ack(body)
            found.append((kind, packet_id, publish and bool(flags & 8)))
        self.packets.clear()
        return found


class Waits:
    """Waits for the disk, and writes down that it was told."""

    def __init__(self, name, told):
        self.gone = False
        self._name = name
        self._told = told

    def committed(self):
        self._told.append(self._name)


class FakeStore:
    """Answers when the test says so."""

    def __init__(self):
        self.batches = []
        self.pending = []

    def load(self):
        return Kept({}, {}, [], [], {})

    def start(self):
        pass

    def write(self, batch, done):
        self.batches.append(batch)
        self.pending.append(done)

    def answer(self, error=None):
        self.pending.pop(0)(error)

    async def close(self):
        pass


def session_of(journal, *, clean=False, **limits):
    return Session("front", FRONT, journal, Limits(**limits), clean=clean)


def say(text, qos=1, **options):
    return Message("t", text.encode(), qos, **options)


def kept(journal, text, qos=1, client="front"):
    """A message that is kept for somebody; its row."""
    delivery = Delivery(say(text, qos), qos)
    delivery.row = journal.keep(client, delivery)
    return delivery.row


def committed(journal, store):
    """Everything noted so far reaches the disk."""
    journal.tidy()
    while store.pending:
        store.answer()
        journal.tidy()
