"""The control socket: one JSON object a line in, one JSON object a line out.

A request is {"op": …}; a reply is {"ok": true, …} or {"ok": false, "error": "what is wrong; what to do next"}.

    op       needs, may have                reply
    boards                                  boards: [{id, pid, on, contact_open, card_present, parts, levels}]
    cards                                   cards: {name: uid}
    tap      board, card or uid, hold_ms    at_ns, when the card entered; it leaves by itself
    contact  board, open (true, false)      at_ns
    press    board, part (rex, tamper, button), hold_ms     at_ns, when it went down
    motion   board, on (true, false)        at_ns; somebody moves before the pir, or stands still
    key      board, keys, hold_ms           at_ns of the last; one after the other
    jam      board, on (true, false)        at_ns; the padlock's bolt sticks, or does not
    wifi     board, air (air.Air)           at_ns; what its station finds
    pwm      board                          pwm: {pin: {hz, duty, at_ns}} as it is now, duty of 65536
    pull     board, on (true, false)        at_ns, clicks of the relay so far; the door opens when the lock lets go
    faults                                  faults: {name: what it is}
    fault    board, fault (see faults), on (true, false)   at_ns; broken, or mended
    edges    board                          edges: [{pin, level, at_ns, seen_ns}], seen: [ns]
    log      board                          lines
    heap     board                          the fields of wire.Heap
    reader   board, fault (readers.Fault)  at_ns
    kill     board, restart (true)          pid; power is cut, and given again unless restart is false
    stop                                    the lab ends
"""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doorward_lab.board import Board
from doorward_lab.errors import LabError, SiteError
from doorward_lab.fields import duration_ms, field
from doorward_lab.hand import Hand
from doorward_lab.lab import Lab
from doorward_lab.parts_control import PartOperations
from doorward_lab.readers import Fault
from doorward_lab.site import Site

_MAX_PATH = 107  # sun_path of a Unix socket, without its end
_MAX_LINE = 64 * 1024
_DEFAULT_HOLD_MS = 600


class Control:
    """Serves one lab on a Unix socket that only its owner can open."""

    def __init__(self, lab: Lab, site: Site) -> None:
        """Nothing happens until `start`."""
        self.stopped = asyncio.Event()
        self._lab = lab
        self._site = site
        self._path: Path | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hands: dict[str, Hand] = {}
        self._operations: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "boards": self._boards,
            "cards": self._cards,
            "tap": self._tap,
            "contact": self._contact,
            **PartOperations(self._board).operations,
            "edges": self._edges,
            "log": self._log,
            "heap": self._heap,
            "reader": self._reader,
            "kill": self._kill,
            "stop": self._stop,
        }

    async def start(self, path: Path) -> None:
        """Listen at `path`. Raises LabError when that is too long."""
        if len(os.fsencode(path)) > _MAX_PATH:
            raise LabError(f"{path} is too long for a Unix socket; choose a shorter --data")
        self._server = await asyncio.start_unix_server(
            self._serve, sock=_bind(path), limit=_MAX_LINE
        )
        self._path = path

    async def stop(self) -> None:
        """Close the socket, end what is asked now, and forget taps that are still held."""
        if self._server is not None:
            self._server.close()
        for hand in self._hands.values():
            hand.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(asyncio.current_task())
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            # The client left, sent a line without end, or the lab ends: asyncio would report the
            # task's cancellation as an error of ours.
            pass
        finally:
            writer.close()

    def _keep(self, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise SiteError('a request is a JSON object; send {"op": …}')
            operation = self._operations.get(request.get("op", ""))
            if operation is None:
                raise SiteError(
                    f"op {request.get('op')!r} is not known; use one of {', '.join(self._operations)}"
                )
            return {"ok": True, **await operation(request)}
        except ValueError:
            return {"ok": False, "error": 'a request is one line of JSON; send {"op": …}'}
        except (LabError, TimeoutError) as error:
            return {
                "ok": False,
                "error": str(error) or "the board did not answer in time; look at its log",
            }

    async def _boards(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"boards": [_described(board) for board in self._lab.boards.values()]}

    async def _cards(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"cards": dict(self._site.cards)}

    async def _tap(self, request: dict[str, Any]) -> dict[str, Any]:
        board = self._board(request)
        if "reader" not in (board.profile.get("pins") or {}):
            raise SiteError("this board has no reader; give it pins.reader in its profile")
        uid = (
            field(request, "uid", str)
            if "uid" in request
            else self._site.uid(field(request, "card", str))
        )
        hold_ms = duration_ms(request, "hold_ms", _DEFAULT_HOLD_MS)
        hand = self._hands.setdefault(board.id, Hand(board))
        return {"at_ns": await hand.tap(uid, hold_ms)}

    async def _contact(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"at_ns": self._board(request).set_contact(field(request, "open", bool))}

    async def _edges(self, request: dict[str, Any]) -> dict[str, Any]:
        board = self._board(request)
        return {"edges": [asdict(edge) for edge in board.edges], "seen": list(board.seen)}

    async def _log(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"lines": list(self._board(request).log)}

    async def _heap(self, request: dict[str, Any]) -> dict[str, Any]:
        return asdict(await self._board(request).heap())

    async def _reader(self, request: dict[str, Any]) -> dict[str, Any]:
        name = field(request, "fault", str)
        if name not in {fault.value for fault in Fault}:
            raise SiteError(
                f"fault {name!r} is not known; use one of {', '.join(fault.value for fault in Fault)}"
            )
        return {"at_ns": self._board(request).set_reader(Fault(name))}

    async def _kill(self, request: dict[str, Any]) -> dict[str, Any]:
        board = self._board(request)
        await board.kill()
        if request.get("restart", True):
            await board.power_on()
        return {"pid": board.pid}

    async def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self.stopped.set()
        return {}

    def _board(self, request: dict[str, Any]) -> Board:
        return self._lab.board(field(request, "board", str))


def _bind(path: Path) -> socket.socket:
    """Return a socket at `path` that only its owner can open.

    It takes the place of one that a killed lab has left; the directory is ours.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        bound.bind(str(path))
    finally:
        os.umask(mask)
    return bound


def _described(board: Board) -> dict[str, Any]:
    return {
        "id": board.id,
        "pid": board.pid,
        "on": board.is_on,
        "contact_open": board.contact_open,
        "card_present": board.card_present,
        "parts": sorted(board.profile.get("pins") or {}),
        "levels": {str(pin): level for pin, level in board.levels.items()},
    }
