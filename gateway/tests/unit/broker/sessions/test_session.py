"""A session against a link and a store that write down what they are given: QoS 0 and 1."""

from fakes.session import FakeLink, committed, say, session_of

from doorward.broker.keeping.messages import Message
from doorward_core import mqtt


def test_window_holds_back_and_acknowledgement_lets_go_in_order(journal):
    session, link = session_of(journal, inflight=2), FakeLink()
    session.attach(link)
    for text in "abcd":
        session.deliver(say(text), 1)
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
    session.deliver(say("never", keep=False), 1)
    session.attach(link)
    session.deliver(say("sent", keep=False), 1)
    session.deliver(say("waits", keep=False), 1)
    session.deliver(say("kept"), 1)
    session.detach()
    session.attach(link)
    assert [text for text, _, _ in link.take()] == ["sent", "kept"]
    journal.flush()
    assert [message.payload for message in store.batches[0].messages.values()] == [b"kept"]


def test_clean_session_keeps_nothing_on_disk(journal, store):
    session = session_of(journal, clean=True)
    session.attach(FakeLink())
    session.deliver(say("a"), 1)
    journal.flush()
    assert store.batches == []


def test_queue_is_bounded_in_messages_and_in_bytes(journal):
    session, link = session_of(journal, queued=2), FakeLink()
    for text in "abc":
        session.deliver(say(text), 1)
    assert session.dropped == 1
    session.attach(link)
    assert [text for text, _, _ in link.take()] == ["a", "b"]
    narrow = session_of(journal, queued_bytes=5)
    for text in ("abc", "de", "f"):
        narrow.deliver(say(text), 1)
    assert (narrow.unsettled, narrow.dropped) == (2, 1)


def test_qos_0_is_dropped_rather_than_piled_up(journal):
    session, link = session_of(journal), FakeLink()
    session.deliver(Message("t", b"away", 0), 0)
    session.attach(link)
    session.deliver(Message("t", b"here", 0), 0)
    link.congested = True
    session.deliver(Message("t", b"slow", 0), 0)
    assert [text for text, _, _ in link.take()] == ["here"]
    assert session.dropped == 1


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


def test_packet_ids_wrap_and_skip_those_in_flight(journal):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    session.deliver(say("first"), 1)
    session._last_id = 65_534
    for text in "ab":
        session.deliver(say(text), 1)
    assert [packet_id for _, packet_id, _ in link.take()] == [1, 65_535, 2]
