"""Self-tests: a board reads itself, part after part, and the diagnosis says what to do next.

Reading moves nothing. Where the lock is to be tried too, the board watches it while it is released as always: by
`Releases`, on record and by challenge.
"""

import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from doorward.app.access.releases import Releases
from doorward.app.feed import LiveFeed
from doorward.app.messages.commands import command, new_id
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import Clock, Spawn, Timer
from doorward.app.views.boards import BoardView, SelfTest
from doorward.domain import audit, devices
from doorward.domain.audit import AuditRow
from doorward.domain.diagnosis import diagnose
from doorward.domain.instants import milliseconds
from doorward.domain.wiring import Wiring
from doorward.errors import Conflict, DoorwardError, InvalidInput, NotFound, Unavailable
from doorward_core import timestamps, topics
from doorward_core.gateway_messages import CommandAck

# A board ends its test after 20 s, its watching after these.
TTL_S = 25
WATCH_MS = 12_000
# So long the lock holds under somebody's pull before it is released.
HOLD_S = 3.0
_MOST_PARTS = 12

_FAILED = {
    "already": "it tests itself already; wait until that is over",
    "failed": "it had no room for the test; restart it, and try again",
    "unknown": "its firmware knows no self-test; put the present one on it",
}


class WiringBook(Protocol):
    """How boards are wired, by the name of their profile."""

    def wiring(self, name: str) -> Wiring:
        """A profile's wiring, an empty one where there is no such profile."""

    def diagram(self, name: str, marked: Collection[str]) -> str | None:
        """Its diagram (SVG) with the wires of these fields marked; None where there is no such profile."""


@dataclass(slots=True)
class _Running:
    """A test on its way. readings grow with every word of the board; watched: the lock is or was looked at."""

    view: SelfTest
    wiring: Wiring
    moves: str | None
    readings: dict[str, dict[str, Any]] = field(default_factory=dict)
    timer: Timer | None = None
    watched: bool = False


class SelfTests:
    """The latest test of each board; a restart forgets them. At most one of a board at a time."""

    def __init__(
        self,
        boards: Callable[[str], BoardView],
        fleet: Fleet,
        releases: Releases,
        wirings: WiringBook,
        record: Callable[[AuditRow], Awaitable[object]],
        feed: LiveFeed,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        """`boards` finds a board or raises NotFound; `record` returns when a row of the audit is committed and told."""
        self._boards = boards
        self._fleet = fleet
        self._releases = releases
        self._wirings = wirings
        self._record = record
        self._feed = feed
        self._clock = clock
        self._spawn = spawn
        self._known: dict[str, _Running] = {}

    def get(self, device: str) -> SelfTest | None:
        """The latest test of a board, None if this run knows of none. Raises NotFound for no board."""
        self._boards(device)
        running = self._known.get(device)
        return running.view if running else None

    def diagram(self, device: str) -> str:
        """The board's wiring as SVG, what the latest test found wrong marked in it. Raises NotFound."""
        board = self._boards(device)
        test = self.get(device)
        wires = {wire for finding in test.findings for wire in finding.wires} if test else set()
        drawn = self._wirings.diagram(board.board, wires)
        if drawn is None:
            raise NotFound(f"there is no profile {board.board}", "see `doorward board list`")
        return drawn

    async def start(self, device: str, actor: str, *, move: bool = False) -> SelfTest:
        """Ask a board to test itself, and its lock with it if it may `move`. Returns when that is on record.

        Raises NotFound, Unavailable for a board that is not there, Conflict while it is at it, and InvalidInput where
        there is no lock or no contact to watch.
        """
        board = self._boards(device)
        known = self._known.get(device)
        if known is not None and known.view.running:
            raise Conflict(f"{device} tests itself already", "wait until that is over")
        present = self._present(board)
        wiring = self._wirings.wiring(board.board)
        moves = self._door(board, wiring) if move else None
        view = SelfTest(
            id=new_id(),
            device=device,
            actor=actor,
            state="reading",
            began_at=self._clock.now(),
        )
        running = self._known[device] = _Running(view, wiring, moves)
        try:
            # Nothing is asked of a board that is not on record.
            await self._record(self._row(running))
            self._ask(present, running, {"near": list(wiring.near)})
        except Exception:
            self._wait(running, None)
            del self._known[device]
            raise
        return running.view

    def heard(self, device: str, *, click: bool) -> SelfTest:
        """Somebody says whether the relay clicked. Raises NotFound, and Conflict where no lock was watched."""
        self._boards(device)
        running = self._known.get(device)
        if running is None or "lock" not in running.readings or running.view.running:
            raise Conflict(f"no lock of {device} was tried", "test it with its lock first")
        running.readings["lock"]["click"] = click
        self._tell(running, "done")
        return running.view

    def acknowledged(self, device: Device, ack: CommandAck) -> None:
        """A part that the board has read, or how its test ended."""
        running = self._known.get(device.id)
        if running is None or ack.command_id != running.view.id or not running.view.running:
            return
        if ack.part == "lock" and "watching" in ack.data:
            self._watching(device, running)
        elif ack.part is not None:
            if ack.part in running.readings or len(running.readings) < _MOST_PARTS:
                running.readings[ack.part] = _printable(ack.data)
                self._tell(running, running.view.state)
        elif ack.result in _FAILED:
            self._fail(running, _FAILED[ack.result])
        elif ack.result == "done":
            self._next(device, running)

    def _next(self, device: Device, running: _Running) -> None:
        if running.moves is None or running.watched:
            self._end(running, "done")
            return
        running.watched = True
        self._ask(device, running, {"watch": WATCH_MS})

    def _watching(self, device: Device, running: _Running) -> None:
        """The board looks at its contact: from now on somebody may pull, and in a moment the lock lets go."""
        if not running.watched or running.view.state != "reading":
            return
        timer = self._clock.call_later(HOLD_S, lambda: self._spawn(self._release(device, running)))
        self._wait(running, timer)
        self._tell(running, "watching")

    async def _release(self, device: Device, running: _Running) -> None:
        if not running.view.running:
            return
        self._wait(running, self._patience(device.id, running))
        try:
            await self._releases.open(running.moves or "", running.view.actor)
        except DoorwardError as error:
            self._fail(running, f"its lock was not released: {error.problem}")
            return
        if running.view.running:  # the board may have ended it meanwhile
            self._tell(running, "released")

    def _ask(self, device: Device, running: _Running, parameters: dict[str, object]) -> None:
        body = command("selftest", parameters, running.view.id, TTL_S, self._clock)
        # Patience first: a test that cannot be asked for ends, too.
        self._wait(running, self._patience(device.id, running))
        self._fleet.tell(device, topics.CONTROL, body)
        self._tell(running, running.view.state)

    def _patience(self, device: str, running: _Running) -> Timer:
        said = f"no word from {device} in {TTL_S} s; is it online? See `doorward device list`"
        return self._clock.call_later(TTL_S, lambda: self._fail(running, said))

    @staticmethod
    def _wait(running: _Running, timer: Timer | None) -> None:
        if running.timer is not None:
            running.timer.cancel()
        running.timer = timer

    def _fail(self, running: _Running, note: str) -> None:
        if running.view.running:
            running.view = replace(running.view, note=note)
            self._end(running, "failed")

    def _end(self, running: _Running, state: str) -> None:
        self._wait(running, None)
        self._tell(running, state)

    def _tell(self, running: _Running, state: str) -> None:
        readings = running.readings
        over = state in ("done", "failed")
        running.view = replace(
            running.view,
            state=state,
            readings={part: dict(data) for part, data in readings.items()},
            findings=diagnose(readings, running.wiring) if over else (),
        )
        self._feed.publish("selftest", running.view)

    @staticmethod
    def _door(board: BoardView, wiring: Wiring) -> str:
        missing = [part for part in ("strike", "contact") if part not in wiring.parts]
        if board.door_id is None or missing:
            what = f"no {missing[0]}" if missing else "no door"
            raise InvalidInput(
                f"{board.id} has {what}, so nothing could be seen of its lock",
                "test it without moving the lock",
                field="move",
            )
        return board.door_id

    def _present(self, board: BoardView) -> Device:
        device = self._fleet.find(board.id)
        if board.state == devices.REVOKED:
            raise Conflict(f"{board.id} was shut out", "adopt it again over USB", field="id")
        if device is None:
            raise Unavailable(
                f"{board.id} keeps no door yet",
                f"give it power, then `doorward device approve {board.id} --door NAME`",
                field="id",
            )
        if not device.online or device.boot is None:
            heard = device.heard_at
            told = f"was heard last at {timestamps.iso(int(heard.timestamp()))}" if heard else ""
            raise Unavailable(
                f"{board.id} {told or 'was never heard'}, and cannot be asked",
                "check its power, its Wi-Fi, and the broker's address in its config.json",
                field="id",
            )
        return device

    def _row(self, running: _Running) -> AuditRow:
        view = running.view
        lock = ", and to watch its lock" if running.moves else ""
        return AuditRow(
            at_ms=milliseconds(self._clock.now()),
            kind=audit.SELFTEST,
            source=audit.OPERATOR,
            device=view.device,
            why=f"Asked the board {view.device} to test itself{lock}.",
            actor=view.actor,
            note=view.id,
        )


def _printable(said: dict[str, object]) -> dict[str, Any]:
    """What a board said, as any database, page or JSON can take it: half a character becomes a question mark."""
    whole = json.dumps(said, ensure_ascii=False).encode(errors="replace")
    printable: dict[str, Any] = json.loads(whole)
    return printable
