"""A session against a link and a store that write down what they are given."""

import asyncio
import weakref

import pytest

from doorward.broker import Limits, Principal
from doorward.broker.journal import Journal
from doorward.broker.messages import Delivery, Message
from doorward.broker.ports import Batch, Kept, KeptMessage
from doorward.broker.session import Session
from doorward_core import mqtt, mqtt_stream

FRONT = Principal("front")


class FakeLink:
    def __init__(self):
        self.packets = []
        self.ready = True
        self.congested = False
        self.gone = False
        self.answers = []

    def send(self, packet):
        self.packets.append(packet)

    def acknowledge(self, packet):
        self.answers.append(packet)

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


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def journal(store):
    journal = Journal(store, lambda: None)
    journal.start(0)
    return journal


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


def test_window_holds_back_and_acknowledgement_lets_go_in_order(journal):
    session, link = session_of(journal, inflight=2), FakeLink()
    session.attach(link)
    for text in "abcd":
        assert session.deliver(say(text), 1)
    assert link.take() == [("a", 1, False), ("b", 2, False)]
    session.acknowledged(1)
    assert link.take() == [("c", 3, False)]
    session.acknowledged(99)
    assert link.take() == []
    session.acknowledged(2)
    session.acknowledged(3)
    assert link.take() == [("d", 4, False)]


def test_redelivery_is_in_order_under_the_old_ids_and_marked_dup(journal):
    session, link = session_of(journal, inflight=3), FakeLink()
    session.attach(link)
    for text in "abcde":
        session.deliver(say(text), 1)
    session.acknowledged(2)
    assert [text for text, _, _ in link.take()] == ["a", "b", "c", "d"]
    session.detach()
    again = FakeLink()
    session.attach(again)
    assert again.take() == [("a", 1, True), ("c", 3, True), ("d", 4, True)]
    for packet_id in (1, 3, 4):
        session.acknowledged(packet_id)
    assert again.take() == [("e", 5, False)]


def test_redelivery_waits_for_a_slow_reader(journal):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    for text in "ab":
        session.deliver(say(text), 1)
    session.detach()
    slow = FakeLink()
    slow.ready = False
    session.attach(slow)
    session.deliver(say("c"), 1)
    assert slow.take() == []
    slow.ready = True
    session.resume()
    assert slow.take() == [("a", 1, True), ("b", 2, True), ("c", 3, False)]


def test_calls_are_not_kept_for_who_is_away(journal, store):
    session, link = session_of(journal, inflight=1), FakeLink()
    assert not session.deliver(say("never", keep=False), 1)
    session.attach(link)
    assert not session.deliver(say("sent", keep=False), 1)
    assert not session.deliver(say("waits", keep=False), 1)
    assert session.deliver(say("kept"), 1)
    session.detach()
    session.attach(link)
    assert [text for text, _, _ in link.take()] == ["sent", "kept"]
    journal.flush()
    assert [message.payload for message in store.batches[0].messages.values()] == [b"kept"]


def test_clean_session_keeps_nothing_on_disk(journal, store):
    session = session_of(journal, clean=True)
    session.attach(FakeLink())
    assert not session.deliver(say("a"), 1)
    journal.flush()
    assert store.batches == []


def test_queue_is_bounded_in_messages_and_in_bytes(journal):
    session, link = session_of(journal, queued=2), FakeLink()
    assert [session.deliver(say(text), 1) for text in "abc"] == [True, True, False]
    assert session.dropped == 1
    session.attach(link)
    assert [text for text, _, _ in link.take()] == ["a", "b"]
    narrow = session_of(journal, queued_bytes=5)
    assert [narrow.deliver(say(text), 1) for text in ("abc", "de", "f")] == [True, True, False]


def test_qos_0_is_dropped_rather_than_piled_up(journal):
    session, link = session_of(journal), FakeLink()
    session.deliver(Message("t", b"away", 0), 0)
    session.attach(link)
    session.deliver(Message("t", b"here", 0), 0)
    link.congested = True
    session.deliver(Message("t", b"slow", 0), 0)
    assert [text for text, _, _ in link.take()] == ["here"]
    assert session.dropped == 1


def test_qos_2_goes_out_after_the_commit_and_is_released_after_the_next(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    assert session.deliver(say("a", 2), 2)
    assert link.steps() == []
    committed(journal, store)
    assert link.steps() == [(mqtt.PUBLISH, 1, False)]
    session.received_by_client(1)
    assert link.steps() == []
    committed(journal, store)
    assert store.batches[-1].released == {1}
    assert link.steps() == [(mqtt.PUBREL, 1, False)]
    session.received_by_client(1)
    committed(journal, store)
    assert link.steps() == [(mqtt.PUBREL, 1, False)], "said once more, so answered once more"
    session.completed(1)
    session.completed(1)
    committed(journal, store)
    assert store.batches[-1].done == {1}
    assert session.unsettled == 0


def test_qos_2_of_a_clean_session_needs_no_disk(journal, store):
    session, link = session_of(journal, clean=True), FakeLink()
    session.attach(link)
    assert not session.deliver(say("a", 2), 2)
    session.received_by_client(1)
    assert link.steps() == [(mqtt.PUBLISH, 1, False), (mqtt.PUBREL, 1, False)]
    session.completed(1)
    assert session.unsettled == 0
    journal.flush()
    assert store.batches == []


def test_each_handshake_goes_on_at_its_step_over_a_new_connection(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    for text in "abc":
        session.deliver(say(text, 2), 2)
    session.deliver(say("d", 1), 1)
    committed(journal, store)
    for packet_id in (1, 2):
        session.received_by_client(packet_id)
    session.completed(1)
    committed(journal, store)
    session.detach()
    again = FakeLink()
    session.attach(again)
    committed(journal, store)
    assert again.steps() == [
        (mqtt.PUBREL, 2, False),
        (mqtt.PUBLISH, 3, True),
        (mqtt.PUBLISH, 4, True),
    ]


def test_what_a_connection_waited_for_is_not_sent_over_it_when_it_is_gone(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    session.deliver(say("a", 2), 2)
    journal.flush()
    session.detach()
    again = FakeLink()
    session.attach(again)
    committed(journal, store)
    assert again.steps() == [(mqtt.PUBLISH, 1, True)]


def test_order_is_kept_over_both_qos(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    for number, text in enumerate("abcd"):
        session.deliver(say(text, 1 + number % 2), 1 + number % 2)
    committed(journal, store)
    assert [text for text, _, _ in link.take()] == ["a", "b", "c", "d"]


def test_both_qos_share_the_window(journal, store):
    session, link = session_of(journal, inflight=2), FakeLink()
    session.attach(link)
    for number, text in enumerate("abcd"):
        session.deliver(say(text, 2 - number % 2), 2 - number % 2)
    committed(journal, store)
    assert [text for text, _, _ in link.take()] == ["a", "b"]
    session.received_by_client(1)
    committed(journal, store)
    assert [kind for kind, _, _ in link.steps()] == [mqtt.PUBREL], "a PUBREC makes no room yet"
    session.completed(1)
    committed(journal, store)
    assert [text for text, _, _ in link.take()] == ["c"]


def test_no_more_waits_for_the_disk_than_may_stand_unread(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    for _ in range(10):
        session.deliver(Message("t", bytes(20_000), 2), 2)
    journal.flush()
    store.answer()
    assert len(link.steps()) == 4
    session.resume()
    committed(journal, store)
    assert len(link.steps()) == 4


def test_a_call_of_qos_2_is_finished_once_it_was_begun(journal, store):
    """What is worthless later is dropped while it waits; what the client may have already is not."""
    session, link = session_of(journal, inflight=1), FakeLink()
    session.attach(link)
    for text in "ab":
        session.deliver(say(text, 2, keep=False), 2)
    committed(journal, store)
    session.detach()
    again = FakeLink()
    session.attach(again)
    committed(journal, store)
    assert again.take() == [("a", 1, True)]
    session.deliver(say("c", 2, keep=False), 2)
    session.received_by_client(1)
    session.completed(1)
    committed(journal, store)
    kept = [message.payload for batch in store.batches for message in batch.messages.values()]
    assert kept == [b"a", b"c"]


def test_an_acknowledgement_of_the_wrong_kind_is_a_mistake_and_an_unknown_one_is_not(journal):
    session, link = session_of(journal, clean=True), FakeLink()
    session.attach(link)
    session.deliver(say("a", 1), 1)
    session.deliver(say("b", 2), 2)
    link.steps()
    for wrong, packet_id in (
        (session.received_by_client, 1),
        (session.completed, 1),
        (session.acknowledged, 2),
        (session.completed, 2),
    ):
        with pytest.raises(mqtt.MqttError):
            wrong(packet_id)
    for unknown in (session.acknowledged, session.completed):
        unknown(9)
    assert link.steps() == []
    session.received_by_client(9)
    assert link.steps() == [(mqtt.PUBREL, 9, False)], "so that the client may forget it"
    session.acknowledged(1)
    session.received_by_client(2)
    session.completed(2)
    assert session.unsettled == 0


def test_a_late_pubrec_does_not_release_what_is_about_to_be_sent_again(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    session.deliver(say("a", 2), 2)
    committed(journal, store)
    session.detach()
    slow = FakeLink()
    slow.ready = False
    session.attach(slow)
    session.received_by_client(1)
    committed(journal, store)
    assert slow.steps() == []
    slow.ready = True
    session.resume()
    committed(journal, store)
    assert slow.steps() == [(mqtt.PUBLISH, 1, True)]


def test_what_is_released_and_done_before_it_was_written_costs_no_write(journal, store):
    row = kept(journal, "1", qos=2)
    journal.release(row)
    journal.forget(row)
    journal.flush()
    assert store.batches == []
    journal.release(row)
    journal.forget(row)
    assert (journal._open.released, journal._open.done) == (set(), {row})


def test_it_is_kept_as_it_is_when_it_is_handed_over(journal, store):
    busy = kept(journal, "0")
    journal.flush()
    session, link = session_of(journal), FakeLink()
    session.deliver(say("a"), 1)
    session.deliver(say("b", 2), 2)
    session.attach(link)
    store.answer()
    rows = [(one.packet_id, one.released) for one in store.batches[-1].messages.values()]
    assert (busy, rows, store.batches[-1].sent) == (1, [(1, False), (2, False)], {})


def test_what_the_store_kept_goes_on_at_its_step(journal, store):
    session, link = session_of(journal), FakeLink()
    kept = KeptMessage(1, "front", "t", b"a", retain=False, packet_id=7, qos=2, released=True)
    session.restore(
        [
            kept,
            kept._replace(row=2, packet_id=8, released=False),
            kept._replace(row=3, packet_id=9, qos=1, released=False),
            kept._replace(row=4, packet_id=None, released=False),
        ]
    )
    session.attach(link)
    committed(journal, store)
    assert link.steps() == [
        (mqtt.PUBREL, 7, False),
        (mqtt.PUBLISH, 8, True),
        (mqtt.PUBLISH, 9, True),
        (mqtt.PUBLISH, 10, False),
    ]


def test_packet_ids_wrap_and_skip_those_in_flight(journal):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    session.deliver(say("first"), 1)
    session._last_id = 65_534
    for text in "ab":
        session.deliver(say(text), 1)
    assert [packet_id for _, packet_id, _ in link.take()] == [1, 65_535, 2]


def test_nothing_is_answered_before_its_batch_is_on_disk(journal, store):
    link = FakeLink()
    kept(journal, "1")
    journal.acknowledge(link, b"one")
    journal.flush()
    kept(journal, "2")
    journal.acknowledge(link, b"two")
    journal.flush()
    assert link.answers == []
    assert len(store.batches) == 1, "one batch on its way at a time"
    store.answer()
    assert link.answers == [b"one"]
    store.answer()
    assert link.answers == [b"one", b"two"]


def test_what_is_undone_before_it_was_written_costs_no_write(journal, store):
    row = kept(journal, "1")
    journal.sent(row, 7)
    journal.forget(row)
    link = FakeLink()
    journal.acknowledge(link, b"one")
    journal.flush()
    assert store.batches == []
    assert link.answers == [b"one"]


def test_what_a_client_has_is_no_reason_for_a_commit(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    for text in "abc":
        session.deliver(say(text), 1)
    committed(journal, store)
    session.acknowledged(1)
    journal.flush()
    assert not store.pending
    session.deliver(say("d"), 1)
    journal.flush()
    assert (store.batches[-1].done, len(store.batches[-1].messages)) == ({1}, 1)
    store.answer()
    session.acknowledged(2)
    journal.flush()
    assert not store.pending
    journal.tidy()
    assert store.batches[-1].done == {2}


async def test_draining_leaves_nothing_behind(journal, store):
    row = kept(journal, "1")
    draining = asyncio.ensure_future(journal.drain())
    await asyncio.sleep(0)
    journal.forget(row)
    store.answer()
    await asyncio.sleep(0)
    assert not draining.done()
    assert store.batches[-1].done == {row}
    store.answer()
    assert await draining is None


async def test_a_batch_that_failed_is_written_again_first_and_unanswered_until_then(journal, store):
    link = FakeLink()
    kept(journal, "1")
    journal.acknowledge(link, b"one")
    journal.flush()
    store.answer(OSError("disk full"))
    assert link.answers == []
    assert isinstance(await journal.drain(), OSError)
    kept(journal, "2")
    journal.flush()
    assert len(store.batches) == 1, "only a retry touches the disk again"
    journal.retry()
    assert store.batches[1] is store.batches[0]
    store.answer()
    assert link.answers == [b"one"]
    store.answer()
    assert await journal.drain() is None
    assert [message.payload for message in store.batches[2].messages.values()] == [b"2"]


def test_while_the_disk_refuses_nobody_who_left_is_remembered(journal, store):
    first, second, stays = FakeLink(), FakeLink(), FakeLink()
    kept(journal, "1")
    journal.acknowledge(first, b"one")
    journal.flush()
    assert not journal.stuck
    store.answer(OSError("disk full"))
    assert journal.stuck
    for link in (second, stays):
        journal.acknowledge(link, b"two")
    first.gone = second.gone = True
    weak = [weakref.ref(first), weakref.ref(second)]
    del first, second, link
    journal.retry()
    store.answer(OSError("disk full"))
    assert [one() for one in weak] == [None, None]
    journal.retry()
    store.answer()
    assert stays.answers == [b"two"]


def test_ending_a_session_takes_its_unwritten_changes_along(journal, store):
    journal.begin_session("front", "front")
    journal.subscribe("front", "t", 1)
    journal.receive("front", 5, held=True)
    kept(journal, "1")
    kept(journal, "2", client="back")
    journal.end_session("front")
    journal.begin_session("front", "front")
    journal.flush()
    batch = store.batches[0]
    assert (batch.ended, batch.sessions) == ({"front"}, {"front": "front"})
    assert not batch.subscriptions
    assert not batch.received
    assert [message.client for message in batch.messages.values()] == ["back"]


def test_an_empty_batch_is_false():
    assert not Batch()
    assert Batch(ended={"front"})
