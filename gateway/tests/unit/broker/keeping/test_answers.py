"""When a publisher is answered: two clients with sessions, and a disk that takes as long as the test says."""

import asyncio
import gc
import weakref

import pytest
from fakes.session import FakeLink, kept

from doorward.broker import Limits, Principal
from doorward.broker.keeping.answers import Answers
from doorward.broker.keeping.journal import Journal
from doorward.broker.keeping.messages import Message
from doorward.broker.sessions.session import Session


class Publisher:
    """A connection: each `read` is one read of what its client says."""

    def __init__(self, journal, most=1000):
        self.journal = journal
        self.gone = False
        self.told = []
        self.waits = False
        self.answers = Answers(journal, self, most)

    def send(self, packet):
        self.told.append(packet)

    def send_all(self, packets):
        self.told += packets

    def wait(self):
        self.waits = True

    def go_on(self):
        self.waits = False

    def read(self, *messages):
        """Publish (answer, sessions) in one go."""
        for answer, sessions in messages:
            message = Message("t", answer, 1, receipt=self.answers.receipt)
            for session in sessions:
                session.deliver(message, 1)
            self.answers.add(answer)
        self.answers.close()
        self.journal.flush()


@pytest.fixture
def publisher(journal):
    return Publisher(journal)


def present(journal, name="front", **limits):
    session = Session(name, Principal(name), journal, Limits(**limits), clean=False)
    session.attach(FakeLink())
    return session


def away(journal, name="back"):
    return Session(name, Principal(name), journal, Limits(), clean=False)


def test_whoever_has_it_spares_the_publisher_the_wait_for_the_disk(journal, store, publisher):
    front = present(journal)
    publisher.read((b"one", [front]))
    assert publisher.told == []
    front.acknowledged(1)
    assert publisher.told == [b"one"]
    store.answer()
    assert publisher.told == [b"one"], "told once"


def test_the_disk_spares_it_the_wait_for_a_slow_client(journal, store, publisher):
    front = present(journal)
    publisher.read((b"one", [front]))
    store.answer()
    assert publisher.told == [b"one"]
    front.acknowledged(1)
    assert publisher.told == [b"one"]


def test_every_client_that_it_is_kept_for_has_to_have_it(journal, store, publisher):
    front, back = present(journal), present(journal, "back")
    publisher.read((b"one", [front, back, away(journal, "gone")]))
    front.acknowledged(1)
    back.acknowledged(1)
    assert publisher.told == []
    store.answer()
    assert publisher.told == [b"one"]


def test_the_last_of_those_who_are_here_lets_go(journal, store, publisher):
    front, back = present(journal), present(journal, "back")
    publisher.read((b"one", [front, back]))
    front.acknowledged(1)
    assert publisher.told == []
    back.acknowledged(1)
    assert publisher.told == [b"one"]


def test_what_one_read_brought_is_answered_together(journal, store, publisher):
    front = present(journal)
    publisher.read((b"one", [front]), (b"two", [front]), (b"none", []))
    front.acknowledged(2)
    assert publisher.told == []
    front.acknowledged(1)
    assert publisher.told == [b"one", b"two", b"none"]


def test_a_later_read_does_not_overtake_an_earlier_one(journal, store, publisher):
    front, back = present(journal), away(journal)
    publisher.read((b"one", [back]))
    publisher.read((b"two", [front]), (b"three", []))
    publisher.read((b"four", []))
    front.acknowledged(1)
    assert publisher.told == []
    store.answer()
    assert publisher.told == [b"one", b"two", b"three", b"four"]
    assert publisher.answers.count == 0


def test_what_was_undone_was_received_by_nobody(journal, store, publisher):
    """A right that was taken back, a session that ended: the answer still waits, for a commit without the message."""
    front = present(journal)
    publisher.read((b"one", [front]))
    front.forget_unreadable(lambda _topic: False)
    assert publisher.told == []
    store.answer()
    assert publisher.told == [b"one"]


def test_what_only_the_disk_makes_safe_waits_for_it(journal, store, publisher):
    front = present(journal)
    publisher.answers.receipt.until_committed()
    publisher.read((b"one", [front]))
    front.acknowledged(1)
    assert publisher.told == []
    store.answer()
    assert publisher.told == [b"one"]


def test_an_acknowledgement_over_the_next_connection_counts(journal, store, publisher):
    front = present(journal)
    publisher.read((b"one", [front]))
    front.detach()
    front.attach(FakeLink())
    assert publisher.told == []
    front.acknowledged(1)
    assert publisher.told == [b"one"]


def test_what_everybody_has_before_it_is_handed_over_is_never_written(journal, store, publisher):
    front, back = present(journal), away(journal)
    publisher.read((b"one", [back]))
    publisher.read((b"two", [front]))
    front.acknowledged(1)
    store.answer()
    assert publisher.told == [b"one", b"two"]
    assert not store.pending
    assert len(store.batches) == 1


def test_a_disk_that_refuses_holds_up_only_who_needs_it(journal, store, publisher):
    other = Publisher(journal)
    front, back = present(journal), away(journal)
    other.read((b"kept", [back]))
    store.answer(OSError("disk full"))
    publisher.read((b"one", [front]))
    front.acknowledged(1)
    assert (publisher.told, other.told) == ([b"one"], [])
    journal.retry()
    store.answer()
    assert other.told == [b"kept"]


def test_who_hung_up_waits_for_nothing(journal, store, publisher):
    front = present(journal)
    kept(journal, "busy")
    journal.flush()
    publisher.read((b"one", [front]))
    publisher.gone = True
    front.acknowledged(1)
    store.answer()
    assert len(store.batches) == 1


def test_who_runs_far_ahead_of_the_disk_is_told_to_wait(journal, store):
    publisher = Publisher(journal, most=4)
    back = away(journal)
    publisher.read(*((b"%d" % number, [back]) for number in range(3)))
    publisher.read(*((b"%d" % number, [back]) for number in range(3, 6)))
    assert publisher.waits
    store.answer()
    assert publisher.told == [b"0", b"1", b"2"]
    assert publisher.waits, "more than half of what it may still waits"
    store.answer()
    assert publisher.told[3:] == [b"3", b"4", b"5"]
    assert not publisher.waits


@pytest.fixture
def patient(store):
    journal = Journal(store, lambda: None, grace=0.02)
    journal.start(0)
    return journal


async def test_who_is_here_has_a_moment_to_acknowledge(patient, store):
    publisher, front = Publisher(patient), present(patient)
    publisher.read((b"one", [front]))
    assert store.batches == []
    front.acknowledged(1)
    assert publisher.told == [b"one"]
    await asyncio.sleep(0.05)
    assert store.batches == [], "nothing was ever written"


async def test_who_takes_longer_is_not_waited_for(patient, store):
    publisher, front = Publisher(patient), present(patient)
    publisher.read((b"one", [front]))
    await asyncio.sleep(0.05)
    store.answer()
    assert publisher.told == [b"one"]


async def test_for_who_is_away_the_disk_is_asked_at_once(patient, store):
    publisher, front, back = Publisher(patient), present(patient), away(patient)
    publisher.read((b"one", [front]))
    publisher.read((b"two", [back]))
    assert [len(batch.messages) for batch in store.batches] == [2]
    store.answer()
    assert publisher.told == [b"one", b"two"]


async def test_what_a_full_window_holds_back_is_for_the_disk_at_once(patient, store):
    publisher, front = Publisher(patient), present(patient, inflight=1)
    publisher.read((b"one", [front]), (b"two", [front]))
    assert [len(batch.messages) for batch in store.batches] == [2]


async def test_who_waits_for_the_commit_itself_waits_no_longer(patient, store):
    publisher, front = Publisher(patient), present(patient)
    front.deliver(Message("t", b"exactly once", 2), 2)
    patient.flush()
    assert len(store.batches) == 1, "QoS 2 goes out after the commit"
    store.answer()
    publisher.read((b"one", [front]))
    patient.subscribe("front", "t", 1)
    patient.flush()
    assert len(store.batches) == 2
    store.answer()
    assert not store.pending


async def test_the_end_waits_for_nobody(patient, store):
    publisher, front = Publisher(patient), present(patient)
    publisher.read((b"one", [front]))
    draining = asyncio.ensure_future(patient.drain())
    await asyncio.sleep(0)
    store.answer()
    assert await draining is None
    assert publisher.told == [b"one"]
    await asyncio.sleep(0.05)
    assert len(store.batches) == 1


def test_what_was_not_kept_for_a_client_is_none_of_what_its_publisher_waits_for(
    journal, store, publisher
):
    """It gets a row of its own when the window has room, and a client that runs ahead completes it at once."""
    front, back = present(journal, inflight=1), away(journal)
    front.deliver(Message("t", b"before", 1), 1)
    receipt = publisher.answers.receipt
    front.deliver(Message("t", b"call", 2, keep=False, receipt=receipt), 2)
    publisher.read((b"one", [back]))
    front.acknowledged(1)
    front.received_by_client(2)
    front.completed(2)
    assert publisher.told == []
    store.answer()
    assert publisher.told == [b"one"]


@pytest.mark.parametrize("committed", [False, True])
def test_what_waits_for_who_is_away_keeps_no_connection_that_is_gone(journal, store, committed):
    publisher, back = Publisher(journal), away(journal)
    publisher.read((b"one", [back]))
    if committed:
        store.answer()
    publisher.answers.end()
    connection = weakref.ref(publisher)
    del publisher
    gc.collect()
    assert connection() is None
    if not committed:
        store.answer()
    assert back.unsettled == 1
