"""Group commit: collects what must be kept while the last batch is being written, and answers when it is on disk."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from doorward.broker.keeping.messages import Delivery
from doorward.broker.keeping.waiting import Waiting, heard
from doorward.broker.ports import Batch, Entry, KeptRetained, RuleKey, Store
from doorward.broker.reports.counters import Timing

_log = logging.getLogger(__name__)

_MOST = 65_536

# What goes to the disk, and who is told when it is there.
_Collected = tuple[Batch, list[Waiting]]


class Journal:
    """The only way to the store. One batch is on its way at a time.

    What is made and undone while it is away costs no write at all. Nor does a message that its clients acknowledge
    within `grace` seconds: nothing is handed over for that long if all of it is on its way to clients that are here.
    What comes during a grace has one of its own if that was in time for the others, so no message waits for more than
    two. Most acknowledge sooner than a disk commits, and a flash card lives longer.
    """

    def __init__(
        self,
        store: Store,
        committed: Callable[[], None],
        most: int = _MOST,
        *,
        grace: float = 0.0,
    ) -> None:
        """`committed` is called on the event loop after the answers of a batch have been given.

        `most`: answers that may wait, and what else may while the store refuses, before it is `crowded`.
        """
        self._store = store
        self._committed = committed
        self._open = Batch()
        self._messages: dict[int, tuple[str, Delivery]] = {}  # by row; the rest of what is open
        self._waiting: list[Waiting] = []
        self._writing: _Collected | None = None
        self._failed: _Collected | None = None
        self._error: Exception | None = None
        self._most = most
        self.answers = 0  # of all clients, that wait; counted by those who give them
        self.batch = 0  # the number of the one that is being collected
        self._row = 0
        self._grace = grace
        self._graced: asyncio.TimerHandle | None = None
        self._graced_row = 0  # the last one when that began
        self._pressing = False  # some of what is open is for somebody who is away, or waits for the commit itself
        self._started = False
        self.commits = Timing()
        self._handed_over = 0.0
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    def start(self, last_row: int) -> None:
        """Begin to write. Rows go on from `last_row`."""
        self._row = max(self._row, last_row)
        self._started = True

    # --- what is kept -----------------------------------------------------------------------------

    def reserve(self) -> int:
        """The row of a message that is kept later, if at all."""
        self._row += 1
        return self._row

    def keep(self, client: str, delivery: Delivery, row: int = 0) -> int:
        """Keep one message for one client, as it is when it is handed over; returns its row, for it to have.

        `row`: the one that was reserved for it.
        """
        if not row:
            self._row = row = self._row + 1
        self._messages[row] = client, delivery
        if not delivery.packet_id:
            self._pressing = True
        return row

    def sent(self, row: int, packet_id: int) -> None:
        """A kept message went out under this id."""
        if row not in self._messages:
            self._open.sent[row] = packet_id

    def release(self, row: int) -> None:
        """The client has a kept QoS 2 message, and now has to forget that it has."""
        if row not in self._messages:
            self._open.released.add(row)

    def forget(self, row: int) -> None:
        """A kept message was acknowledged by its client."""
        if self._messages.pop(row, None) is None:
            batch = self._open
            batch.sent.pop(row, None)
            if batch.released:
                batch.released.discard(row)
            batch.done.add(row)

    def retain(self, topic: str, message: KeptRetained | None) -> None:
        """Keep, or with None forget, the retained message of a topic."""
        self._open.retained[topic] = message

    def begin_session(self, client: str, owner: str) -> None:
        """Keep a session from now on."""
        self._open.sessions[client] = owner

    def end_session(self, client: str) -> None:
        """Forget a session with all that belongs to it."""
        batch = self._open
        batch.ended.add(client)
        batch.sessions.pop(client, None)
        batch.subscriptions = {
            key: qos for key, qos in batch.subscriptions.items() if key[0] != client
        }
        batch.received = {key: held for key, held in batch.received.items() if key[0] != client}
        self._messages = {row: kept for row, kept in self._messages.items() if kept[0] != client}

    def subscribe(self, client: str, topic_filter: str, qos: int | None) -> None:
        """Keep a subscription; with None forget it."""
        self._open.subscriptions[client, topic_filter] = qos

    def receive(self, client: str, packet_id: int, *, held: bool) -> None:
        """Remember that a QoS 2 message was taken under this id, until the client releases the id."""
        self._open.received[client, packet_id] = held

    def principal(self, name: str, known: tuple[str, bytes] | None) -> None:
        """Keep a principal as (role, digest), or forget it."""
        self._open.principals[name] = known

    def user(self, name: str, known: tuple[str, str] | None) -> None:
        """Keep a user as (roles, hash of the password), or forget it."""
        self._open.users[name] = known

    def welcome(self, name: str, place: str, *, known: bool) -> None:
        """Keep that a user came in from a place, later than from all that were told before, or forget it."""
        self._open.welcome.pop((name, place), None)
        self._open.welcome[name, place] = known

    def rule(self, key: RuleKey, actions: tuple[bool, bool] | None) -> None:
        """Keep what a rule is about (publish, subscribe), or forget the rule."""
        self._open.rules[key] = actions

    def log(self, entries: Iterable[Entry]) -> None:
        """Keep lines of the log."""
        self._open.log += entries

    # --- when it is kept --------------------------------------------------------------------------

    def confirm(self, to: Waiting, *, pressing: bool = False) -> None:
        """Tell `to` when everything noted so far, and until the next flush, is on disk.

        `pressing`: no client can spare it the wait, so it is not to wait for their grace either.
        """
        self._waiting.append(to)
        self._pressing = self._pressing or pressing

    def flush(self) -> None:
        """Hand over what was collected, unless a batch is still on its way, or is stuck.

        What clients alone acknowledged goes with the next batch that somebody waits for, or by `tidy`: a commit of its
        own would keep that one waiting.
        """
        if self._busy:
            return
        if not self._may_wait():
            self._hand_over_if_due()
        elif self._graced is None:
            self._begin_grace()

    def tidy(self) -> None:
        """Hand over all there is, as `flush` does."""
        if not self._busy and (self._messages or self._open or self._waiting):
            self._hand_over()

    def retry(self) -> None:
        """Hand over again what the store refused."""
        if self._failed is not None and self._writing is None:
            (batch, waiting), self._failed = self._failed, None
            # Clients come back and ask again for as long as the disk refuses: that may be days.
            self._waiting = heard(self._waiting)
            self._write((batch, heard(waiting)))

    def owes(self, client: str) -> bool:
        """True until it is on disk that the session of a client began or ended."""
        on_their_way = (one[0] for one in (self._writing, self._failed) if one is not None)
        return any(
            client in batch.sessions or client in batch.ended
            for batch in (self._open, *on_their_way)
        )

    @property
    def stuck(self) -> bool:
        """True while the store refuses."""
        return self._failed is not None

    @property
    def crowded(self) -> bool:
        """True while so much waits for the disk that clients may not add to it."""
        if self.answers >= self._most:
            return True
        if self._failed is None:
            return False
        batch = self._open
        held = len(batch.subscriptions) + len(batch.received) + len(batch.retained)
        return held + len(batch.sessions) + len(batch.ended) >= self._most

    def has_room_for(self, topic: str) -> bool:
        """False while the store refuses, and the retained messages of too many other topics wait for it."""
        return not (self.stuck and self.crowded) or topic in self._open.retained

    async def drain(self) -> Exception | None:
        """Wait until everything is on disk, or return what the store says against it."""
        self.tidy()
        await self._at_rest.wait()
        while (self._messages or self._open) and self._started and self._error is None:
            self.tidy()
            await self._at_rest.wait()
        return self._error

    @property
    def _busy(self) -> bool:
        return self._writing is not None or self._failed is not None or not self._started

    def _may_wait(self) -> bool:
        # All of it is on its way to clients that are here.
        return bool(self._grace and self._messages and not self._pressing and not self._open.urgent)

    def _begin_grace(self) -> None:
        self._graced_row = self._row
        loop = asyncio.get_running_loop()
        self._graced = loop.call_later(self._grace, self._after_grace)

    def _after_grace(self) -> None:
        self._graced = None
        if self._busy:
            return
        if self._may_wait() and next(iter(self._messages)) > self._graced_row:
            # What it began for was acknowledged meanwhile; what came later has a grace of its own.
            self._begin_grace()
        else:
            self._hand_over_if_due()

    def _hand_over_if_due(self) -> None:
        # Whose messages have been acknowledged by their clients meanwhile waits for nothing any more.
        self._waiting = heard(self._waiting)
        if self._waiting or self._messages or self._open.urgent:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._graced is not None:
            self._graced.cancel()
            self._graced = None
        self._pressing = False
        batch, messages, waiting = self._open, self._messages, self._waiting
        self._open, self._messages, self._waiting = Batch(), {}, []
        self.batch += 1
        for row, (client, delivery) in messages.items():
            batch.messages[row] = delivery.kept(client)
        self._write((batch, waiting))

    def _write(self, batch: _Collected) -> None:
        self._writing = batch
        self._at_rest.clear()
        if batch[0]:
            self._handed_over = time.perf_counter()
            self._store.write(batch[0], self._done)
        else:
            self._done(None)

    def _done(self, error: Exception | None) -> None:
        written, self._writing, self._error = self._writing, None, error
        if written is None:
            raise RuntimeError("the store answered twice")
        if error is not None:
            # Nobody is told that it was kept; it goes first when the store is tried again.
            _log.error(
                "broker.db cannot be written (%s); messages stay unacknowledged until it can", error
            )
            self._failed = written
            self._at_rest.set()
            return
        if written[0]:
            self.commits.add(time.perf_counter() - self._handed_over)
        for one in written[1]:
            one.committed()
        self._committed()
        self.flush()
        if self._writing is None:
            self._at_rest.set()
