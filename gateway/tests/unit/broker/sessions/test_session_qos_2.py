"""A session at QoS 2: what goes out after which commit, and where a handshake goes on."""

import pytest
from fakes.session import FakeLink, committed, say, session_of

from doorward.broker.keeping.messages import Message
from doorward.broker.ports import KeptMessage
from doorward_core import mqtt


def test_qos_2_goes_out_after_the_commit_and_is_released_after_the_next(journal, store):
    session, link = session_of(journal), FakeLink()
    session.attach(link)
    session.deliver(say("a", 2), 2)
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
    session.deliver(say("a", 2), 2)
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
