"""The journal against a store that answers when the test says so: nothing is answered before its batch is on disk."""

import asyncio
import weakref

from fakes.session import FakeLink, Waits, committed, kept, say, session_of

from doorward.broker.keeping.journal import Journal
from doorward.broker.ports import Batch


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


def test_nothing_is_answered_before_its_batch_is_on_disk(journal, store):
    told = []
    kept(journal, "1")
    journal.confirm(Waits("one", told))
    journal.flush()
    kept(journal, "2")
    journal.confirm(Waits("two", told))
    journal.flush()
    assert told == []
    assert len(store.batches) == 1, "one batch on its way at a time"
    store.answer()
    assert told == ["one"]
    store.answer()
    assert told == ["one", "two"]


def test_what_is_undone_before_it_was_written_costs_no_write(journal, store):
    row = kept(journal, "1")
    journal.sent(row, 7)
    journal.forget(row)
    told = []
    journal.confirm(Waits("one", told))
    journal.flush()
    assert store.batches == []
    assert told == ["one"]


def test_where_users_came_in_from_is_written_in_the_order_in_which_they_did_last(journal, store):
    busy = kept(journal, "0")
    journal.flush()
    for place, known in (("a", True), ("b", True), ("c", False), ("a", True), ("c", True)):
        journal.welcome("sam", place, known=known)
    store.answer()
    assert (busy, list(store.batches[-1].welcome)) == (
        1,
        [("sam", "b"), ("sam", "a"), ("sam", "c")],
    )


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


def test_commits_are_timed_and_what_never_reached_the_disk_is_not(journal, store):
    kept(journal, "1")
    journal.flush()
    store.answer(OSError("disk full"))
    assert sum(journal.commits.counts) == 0
    journal.retry()
    store.answer()
    assert sum(journal.commits.counts) == 1
    assert journal.commits.total > 0
    journal.confirm(Waits("one", []))
    journal.flush()
    assert sum(journal.commits.counts) == 1, "there was nothing to commit"


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
    told = []
    kept(journal, "1")
    journal.confirm(Waits("one", told))
    journal.flush()
    store.answer(OSError("disk full"))
    assert told == []
    assert isinstance(await journal.drain(), OSError)
    kept(journal, "2")
    journal.flush()
    assert len(store.batches) == 1, "only a retry touches the disk again"
    journal.retry()
    assert store.batches[1] is store.batches[0]
    store.answer()
    assert told == ["one"]
    store.answer()
    assert await journal.drain() is None
    assert [message.payload for message in store.batches[2].messages.values()] == [b"2"]


def test_while_the_disk_refuses_nobody_who_left_is_remembered(journal, store):
    told = []
    first, second, stays = (Waits(name, told) for name in ("first", "second", "stays"))
    kept(journal, "1")
    journal.confirm(first)
    journal.flush()
    assert not journal.stuck
    store.answer(OSError("disk full"))
    assert journal.stuck
    for one in (second, stays):
        journal.confirm(one)
    first.gone = second.gone = True
    weak = [weakref.ref(first), weakref.ref(second)]
    del first, second, one
    journal.retry()
    store.answer(OSError("disk full"))
    assert [ref() for ref in weak] == [None, None]
    journal.retry()
    store.answer()
    assert told == ["stays"]


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


async def test_a_grace_is_for_what_was_there_when_it_began(store):
    """Else every second round of a steady stream would be written, a moment before its client acknowledges it."""
    hour = 3600.0  # it is over when the test says so
    journal = Journal(store, lambda: None, grace=hour)
    journal.start(0)
    session = session_of(journal)
    session.attach(FakeLink())
    session.deliver(say("one"), 1)
    journal.flush()
    session.acknowledged(1)
    session.deliver(say("two"), 1)
    journal.flush()
    journal._after_grace()
    assert store.batches == [], "the second has had none of it"
    session.deliver(say("three"), 1)
    journal.flush()
    journal._after_grace()
    written = [message.payload for message in store.batches[-1].messages.values()]
    assert written == [b"two", b"three"], "nobody waits for more than two"
    store.answer()
