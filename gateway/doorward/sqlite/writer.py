"""One thread that writes: units of work are committed in groups, each in its own savepoint."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from doorward.errors import Unavailable
from doorward.sqlite.transaction import Transaction

T = TypeVar("T")
C = TypeVar("C")
Seen_contra = TypeVar("Seen_contra", contravariant=True)

_GROUP = 200  # units a commit; more gains nothing and makes the first of them wait
_WAITING = 20_000  # units in line before we say so instead of growing


class Watch(Protocol[Seen_contra]):
    """Looks on while groups are committed, on the writer's thread."""

    def begin(self, connection: Seen_contra) -> None:
        """A group's transaction has begun. What this raises fails the group."""

    def end(self, connection: Seen_contra) -> None:
        """The transaction is about to be committed."""

    def committed(self) -> None:
        """It was. Nothing may be raised: the rows are there."""


class GroupWriter(Generic[C]):
    """Runs units of work one after the other, and answers after the commit that holds them.

    A unit is a plain function of the transaction's connection. One that raises is rolled back alone; its neighbours
    are not touched, and its owner gets that error. When the file fails (the commit, a full disk, a
    lost lock), who waits for it gets Unavailable: the same unit may well succeed later.
    """

    def __init__(
        self, transaction: Transaction[C], *, name: str = "writer", watch: Watch[C] | None = None
    ) -> None:
        """Name the thread; nothing runs before `start`. `transaction` is used by that thread alone."""
        self._watch = watch
        self._transaction = transaction
        self._units: queue.SimpleQueue[_Unit[C] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closed = True

    def start(self) -> None:
        """Start the thread. Called on the event loop that answers are to arrive on."""
        self._loop = asyncio.get_running_loop()
        self._finished = self._loop.create_future()
        self._closed = False
        self._thread.start()

    async def run(self, work: Callable[[C], T]) -> T:
        """Run `work`, return its result after the commit. Raises what `work` raised, or Unavailable."""
        future: asyncio.Future[T] = self._loop.create_future()

        def done(result: T | None, error: Exception | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # None only where T allows it

        self.submit(work, done)
        return await future

    def submit(
        self, work: Callable[[C], T], done: Callable[[T | None, Exception | None], None]
    ) -> None:
        """Queue `work` and return at once; `done(result, error)` runs on the loop after the commit.

        Raises Unavailable when the writer is closed or hopelessly behind.
        """
        if self._closed or self._units.qsize() >= _WAITING:
            raise Unavailable(
                "the store does not take more writes", "check the disk, then restart the gateway"
            )
        self._units.put(_Unit(work, done))

    async def close(self) -> None:
        """Finish what is queued, then stop the thread. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._units.put(None)
        await self._finished

    def _run(self) -> None:
        open_for_work = True
        while open_for_work:
            group, open_for_work = self._next_group()
            if group:
                self._commit(group)
                self._loop.call_soon_threadsafe(_answer, group)
        self._transaction.let_go()
        self._loop.call_soon_threadsafe(self._finished.set_result, None)

    def _next_group(self) -> tuple[list["_Unit[C]"], bool]:
        """Wait for one unit, take what is there beyond it; False once the end marker came."""
        unit = self._units.get()
        group: list[_Unit[C]] = []
        while unit is not None:
            group.append(unit)
            if len(group) == _GROUP:
                return group, True
            try:
                unit = self._units.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, group: list["_Unit[C]"]) -> None:
        transaction = self._transaction
        try:
            connection = transaction.begin()
            if self._watch is not None:
                self._watch.begin(connection)
            if len(group) == 1:
                # Nobody else's work to protect: the transaction is savepoint enough.
                kept = group[0].perform_alone(transaction, connection)
            else:
                for unit in group:
                    unit.perform(transaction, connection)
                kept = True
            if kept:
                if self._watch is not None:
                    self._watch.end(connection)
                transaction.commit()
        except Exception as error:  # noqa: BLE001 - a full disk, a lost file: all who wait must hear
            transaction.let_go()
            for unit in group:
                unit.result, unit.error = None, unit.error or _unavailable(error)
            return
        if self._watch is not None:
            self._watch.committed()


class _Unit(Generic[C]):
    """One function to run, and who waits for it."""

    __slots__ = ("_done", "_work", "error", "result")

    def __init__(
        self, work: Callable[[C], T], done: Callable[[T | None, Exception | None], None]
    ) -> None:
        self._work: Callable[[C], object] = work
        self._done: Callable[..., None] = done
        self.result: object = None
        self.error: Exception | None = None

    def perform_alone(self, transaction: Transaction[C], connection: C) -> bool:
        """Run in a transaction of its own; False after an error, which rolls all of it back."""
        try:
            self.result = self._work(connection)
        except Exception as error:  # noqa: BLE001 - it belongs to the unit's owner, not to this thread
            self.error = _told(error, transaction)
            transaction.roll_back()
            return False
        return True

    def perform(self, transaction: Transaction[C], connection: C) -> None:
        """Run inside a savepoint; keep the result or the error for later."""
        transaction.run("SAVEPOINT unit")
        try:
            self.result = self._work(connection)
        except Exception as error:  # noqa: BLE001 - it belongs to the unit's owner, not to this thread
            self.error = _told(error, transaction)
            transaction.run("ROLLBACK TO unit")
        transaction.run("RELEASE unit")

    def answer(self) -> None:
        self._done(self.result, self.error)


def _told(error: Exception, transaction: Transaction[C]) -> Exception:
    """What the unit's owner hears: its own error as it is, trouble with the file as Unavailable."""
    return _unavailable(error) if transaction.blames_file(error) else error


def _unavailable(error: Exception) -> Unavailable:
    # SQLAlchemy's own words name our statement and its web site; SQLite's name the trouble.
    said = getattr(error, "orig", None) or error
    told = Unavailable(f"the store failed ({said})", "check the disk, then try again")
    told.__cause__ = error
    return told


def _answer(group: list[_Unit[C]]) -> None:
    loop = asyncio.get_running_loop()
    for unit in group:
        try:
            unit.answer()
        except Exception as error:  # noqa: BLE001 - one listener's bug must not silence the rest of the group
            loop.call_exception_handler({"message": "a writer callback failed", "exception": error})
