"""Real use cases on a real store, behind a wire that is not theirs; real boards in a lab at its other end.

Whether a door opened is said by the relay alone, what is on record by the rows in gateway.db.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from stage import WIRINGS
from stage.board import ScriptedBoard
from stage.gate import Gate
from stage.secrets import enrol
from watching import PATIENCE_S, openings, until

from attack.wire import Said, Wire
from doorward.adapters.store import SqlStore
from doorward.app.ports import Message
from doorward.app.records import LogEntry
from doorward.database import load_or_create
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.devices import APPROVED, Registration
from doorward.domain.doors import Door
from doorward.runtime.demo import site as demosite
from doorward.runtime.usecases import UseCases
from doorward.runtime.wiring import wire
from doorward.signer import Signer
from doorward_core import gateway_messages, gateway_states, seal, topics
from doorward_core.schedule import ALWAYS
from doorward_lab import Board, Lab

BASE = "doorward"
STRIKE: int = demosite.pins()["strike"]["pin"]
# Long ones: what is searched for in megabytes of random digits must not be there by chance.
CARDS = {
    "one": bytes.fromhex("04a1b2c3d4e5f6"),
    "two": bytes.fromhex("04d15b2a6c83f0917ee2"),
    "back": bytes.fromhex("0437c1d2e39a58"),
    "stranger": bytes.fromhex("04a1b2c3d4e5f7"),
}
_LEVELS = {"one": "Front", "two": "Front", "back": "Back"}


class _Clock:
    """The time, and timers that a test may bring forward."""

    zone = ZoneInfo("Europe/Berlin")

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._timers: list[tuple[datetime, asyncio.TimerHandle, Callable[[], None]]] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead.total_seconds()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        handle = asyncio.get_running_loop().call_later(seconds, callback)
        self._timers.append((self.now() + timedelta(seconds=seconds), handle, callback))
        return handle

    def advance(self, seconds: float) -> None:
        """Let the gateway believe that so much time has passed."""
        self._ahead += timedelta(seconds=seconds)
        due = [timer for timer in self._timers if timer[0] <= self.now()]
        self._timers = [timer for timer in self._timers if timer[0] > self.now()]
        for _, handle, callback in due:
            if not handle.cancelled() and handle.when() > asyncio.get_running_loop().time():
                handle.cancel()
                callback()


class Site:
    """`async with Site(directory) as site: board = await site.board("front")`.

    Two doors, "front" and "back", each with its device of that name. The back one is a script unless it is started,
    too.
    """

    def __init__(self, directory: Path, cache: Path | None = None) -> None:
        """cache: where compiled firmware is kept from run to run."""
        self.directory = directory
        self.database = directory / "gateway.db"
        self.clock = _Clock()
        self.wire = Wire(BASE, self._to_gateway)
        self.wire.listeners.append(self._note)
        self.lab = Lab(directory / "lab", cache=cache)
        self.boards: dict[str, Board] = {}
        self.lock: dict[str, tuple[str, str | None]] = {}  # (lock, contact) as a board last said
        self.log: dict[tuple[str, str, int], bytes] = {}  # what boards wrote, by device, epoch, seq
        self.newest: dict[str, int] = {}  # how far a board's log goes, by its last hello
        self._tasks: set[asyncio.Task[None]] = set()

    # --- beginning and end ---

    async def __aenter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        keys = self.directory / "signer"
        self.enrolments = {name: enrol(keys, name) for name in ("front", "back")}
        self.scripts = {name: ScriptedBoard(given) for name, given in self.enrolments.items()}
        self.signer = Signer(keys)
        self.port = await self.wire.start()
        await self._furnish()
        await self.start_gateway()
        await self.lab.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.lab.__aexit__(kind, error, trace)
        await self.wire.stop()
        await self.stop_gateway()

    async def start_gateway(self, restored_ms: int | None = None) -> None:
        """A gateway that knows what gateway.db says, and nothing more; restored_ms as `wire` takes it."""
        self.store = self._open_store()
        self.cases: UseCases = wire(
            BASE,
            self.store,
            self.signer,
            self.wire,
            self.clock,
            self._spawn,
            Gate(),
            WIRINGS,
            restored_ms=restored_ms,
        )
        await self.cases.cache.refresh()
        self.cases.cache.announce()

    async def stop_gateway(self) -> None:
        await self.settle()
        await self.store.close()

    def _open_store(self) -> SqlStore:
        store = SqlStore(self.database, load_or_create(self.directory / "db.key", self.database))
        store.start()
        return store

    async def _furnish(self) -> None:
        store = self._open_store()
        doors = [
            Door(name, name.title(), name, strike_ms=1000, cap_ms=10000, held_ms=60000)
            for name in self.scripts
        ]
        levels = [("Front", ("front",), "Always"), ("Back", ("back",), "Always")]
        await store.put_site(doors, [("Always", ALWAYS)], levels)
        for name in self.scripts:
            board = Registration(name, "door-esp32", APPROVED, 0)
            await store.put_device(board, AuditRow(0, "device.approved", audit.OPERATOR))
        for card, level in _LEVELS.items():
            await store.add_person(card, (level,), AuditRow(0, "person.added", audit.OPERATOR))
            await store.add_card(CARDS[card], card, AuditRow(0, "card.added", audit.OPERATOR))
        await store.close()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Return when the gateway has nothing left to do on the side."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # --- boards ---

    def profile(self, name: str) -> dict[str, Any]:
        """A board's config.json."""
        enrolment = self.enrolments[name]
        return {
            "id": name,
            "base": BASE,
            "broker": {"host": "127.0.0.1", "port": self.port},
            "secret": enrolment.secret,
            "key": enrolment.key,
            "key_epoch": enrolment.epoch,
            "wifi": None,
            "pins": demosite.pins(),
            "door": {"strike_s": 1, "cap_s": 10, "held_s": 60},
            "poll_ms": 20,
        }

    async def board(self, name: str, firmware: Path | None = None) -> Board:
        """A real board, connected and holding its rules."""
        board = await self.lab.start_board(self.profile(name), firmware=firmware)
        self.boards[name] = board
        await self.until(lambda: self.is_current(name))
        return board

    def is_current(self, name: str) -> bool:
        """Whether the board is there and holds what it should."""
        door = self.cases.states.get(name)
        known = door.online and door.policy_version == door.policy_wanted
        return known and name in self.wire.lines and name in self.lock

    # --- the witness ---

    def opened(self, name: str = "front") -> int:
        """How often the relay was energised."""
        return openings(self.boards[name])

    async def rows(self) -> list[AuditRow]:
        """The audit as it is stored, oldest first."""
        await self.settle()
        return list(reversed(await self.store.recent(1_000_000, None, None)))

    async def stored(self, device: str, epoch: str, seq: int) -> LogEntry | None:
        return await self.store.entry(device, epoch, seq)

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        await until(condition, *self.boards.values(), seconds=seconds)

    def newest_of(self, name: str) -> int:
        """The number of the last event that a board was heard to say of its present log."""
        epochs = [epoch for device, epoch, _ in self.log if device == name]
        return max(seq for device, epoch, seq in self.log if (device, epoch) == (name, epochs[-1]))

    # --- legitimate use ---

    async def tap(self, card: str, name: str = "front") -> None:
        """Somebody who may pass does: the strike is energised once, they open the door and close it behind them."""
        before = self.opened(name)
        self.boards[name].present(CARDS[card])
        await self.until(lambda: self.opened(name) == before + 1)
        self.boards[name].remove()
        await self.walk_through(name)

    async def walk_through(self, name: str = "front") -> None:
        """Open the released door and close it; the strike falls, and the board says that all is as before."""
        board = self.boards[name]
        board.set_contact(True)
        await self.until(lambda: board.levels.get(STRIKE) == 0)
        await self.until(lambda: self.lock.get(name, ("", ""))[1] == "open")
        board.set_contact(False)
        await self.until(lambda: self.lock.get(name) == ("locked", "closed"))

    # --- the gateway's end of the wire ---

    def _to_gateway(self, said: Said) -> None:
        self.hand_in(said.device, said.suffix, said.payload)

    def hand_in(
        self,
        device: str,
        suffix: str,
        payload: bytes,
        *,
        retained: bool = False,
        repeated: bool = False,
    ) -> None:
        """Give the gateway a message, as its broker would."""
        self.cases.router.handle(Message(device, suffix, payload, retained, repeated))

    def _note(self, said: Said) -> None:
        """Keep what a board truly said of itself: for the pace of a test, and to compare the store with."""
        if not said.up or not said.payload:
            return
        if said.suffix == topics.REPORTED:
            state = gateway_states.parse_reported(seal.split(said.payload).body)
            self.lock[said.device] = (state.lock, state.contact)
        elif said.suffix == topics.ONLINE:
            hello = gateway_messages.parse_hello(seal.split(said.payload).body)
            self.newest[said.device] = hello.log_seq
        elif said.suffix == topics.EVENTS:
            parts = seal.split(said.payload)
            _, epoch, seq = seal.parse_freshness(parts.freshness)
            place = (said.device, str(epoch), seq)
            assert self.log.setdefault(place, parts.body) == parts.body, "a board changed its past"

    def rejected(self, device: str = "front") -> dict[str, int]:
        """What the gateway refused, by reason."""
        found = self.cases.fleet.find(device)
        return dict(found.rejected) if found else {}
