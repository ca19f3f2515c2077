"""One board, from its port to the gateway's page: every step in its order, and nothing that was done already."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from doorward.flash import board, esptool, image, listen, online, turns
from doorward.flash.board import Facts
from doorward.flash.errors import FlashError, NoPrompt, Stopped
from doorward.flash.keys import Waiting
from doorward.flash.plan import REVOKED, Options, plan
from doorward.flash.scripts import HOLD_MS, PROBE, report
from doorward.flash.tools import Tool
from doorward.flash.upload import Upload


class Gateway(Protocol):
    """What is asked of the gateway, over its local socket."""

    def boards(self) -> list[dict[str, Any]]:
        """Every board that was ever adopted."""

    def adopt(self, name: str, profile: str, broker: str | None, *, again: bool) -> dict[str, Any]:
        """Give a board its keys; nobody can have them a second time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a dry run would do."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What was done. files, bytes: what went over the cable; state: as in docs/boards.md."""

    name: str
    port: str
    version: str
    files: int
    bytes: int
    removed: tuple[str, ...]
    slot: str
    trial: bool
    online_s: float
    state: str


class Job:
    """Flashes one board. Raises DoorwardError; the same job can be begun again at any time."""

    def __init__(
        self,
        options: Options,
        port: str,
        tools: Sequence[Tool],
        gateway: Gateway,
        say: Callable[[str], None],
        progress: Callable[[int, int], None],
    ) -> None:
        """say: hears of each step; progress: bytes that went over the cable, of how many."""
        self._options = options
        self._port = port
        self._tools = tools
        self._gateway = gateway
        self._say = say
        self._progress = progress
        self._waiting = Waiting(options.state / options.name)
        # Whether the board is at its prompt, and does not run.
        self._held = False

    def run(self, sure: Callable[[], None] = lambda: None) -> Result:
        """Do it. sure() is called when everything is known to be right, before a chip is erased; it may raise."""
        with self._turn():
            return self._run(sure)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Our turn at the port. However it ends, a board that was stopped runs again. Raises Stopped for ^C."""
        with turns.hold(self._options.state, self._options.name, self._port):
            try:
                yield
            except KeyboardInterrupt:
                told = f"stopped{self._let_go()}"
                raise Stopped(told, "run the same again, which goes on from there") from None
            finally:
                self._let_go()

    def _let_go(self) -> str:
        """Have the board run again, and say how that went."""
        if not self._held:
            return ""
        self._held = False
        try:
            listen.let_go(self._port)
        except FlashError:
            return f"; the board starts again by itself, in {HOLD_MS // 60_000} minutes at the most"
        return ", and the board runs again"

    def _run(self, sure: Callable[[], None]) -> Result:
        known = self._known()
        with tempfile.TemporaryDirectory(prefix="doorward-") as folder:
            made = image.compiled(self._options.firmware, Path(folder))
            if self._options.micropython is not None:
                self._erase(self._options.micropython, known, sure)
            tool, facts = self._probe()
            todo = plan(self._options, facts, known, made, waits=self._waiting.is_there)
            if todo.adopt:
                self._adopt()
            upload = Upload(tool, facts, made, self._say, self._progress)
            keys = self._waiting.files() if todo.keys else {}
            done = upload.run(todo.wanted, keys, todo.patch)
        if todo.keys:
            self._waiting.drop()
        self._say("starting it")
        self._held = False
        config = json.loads(keys["/config.json"]) if todo.keys else {**facts.config, **todo.patch}
        seconds = self._wait(config)
        state = str((self._known() or {}).get("state", ""))
        return Result(
            self._options.name,
            self._port,
            made.version,
            done.files,
            done.bytes,
            done.removed,
            done.slot,
            done.trial,
            seconds,
            state,
        )

    def look(self) -> Seen:
        """Say what `run` would do, and write nothing."""
        with self._turn():
            return self._look()

    def _look(self) -> Seen:
        known = self._known()
        tool, facts = self._probe()
        with tempfile.TemporaryDirectory(prefix="doorward-") as folder:
            made = image.compiled(self._options.firmware, Path(folder))
        todo = plan(self._options, facts, known, made, waits=self._waiting.is_there)
        steps = [f"{tool.name}: MicroPython {facts.release} on {facts.machine}"]
        if todo.keys:
            steps.append("new keys" if todo.adopt else "the keys that wait for it")
        if todo.wanted.firmware:
            steps.append(f"firmware {made.version} into the slot that is not in use")
        steps += sorted(todo.wanted.beside)
        if todo.patch:
            steps.append(f"/config.json: {', '.join(sorted(todo.patch))}")
        return Seen(tuple(steps) if len(steps) > 1 else (*steps, "nothing: it is up to date"))

    def _erase(
        self, micropython: Path, known: Mapping[str, Any] | None, sure: Callable[[], None]
    ) -> None:
        """Erase the chip, when nothing that can be known beforehand stands against what comes after."""
        options = self._options
        esptool.check(options.chip, micropython)
        lives = known is not None and known["state"] != REVOKED
        if lives and not self._waiting.is_there and not options.again:
            raise FlashError(
                f"{options.name} is known already, and erasing a chip takes its keys with it",
                "say --again for new keys; the old are void then",
                field="name",
            )
        options.wifi()
        sure()
        self._say(f"erasing the chip at {self._port}")
        esptool.write(options.chip, self._port, micropython)

    # --- what is there

    def _known(self) -> dict[str, Any] | None:
        return next(
            (one for one in self._gateway.boards() if one["id"] == self._options.name), None
        )

    def _probe(self) -> tuple[Tool, Facts]:
        self._say(f"looking at the board at {self._port}")
        for tool in self._tools:
            try:
                self._held = True
                found = board.facts(report(tool.run(PROBE, fresh=True)))
            except NoPrompt:
                self._held = False
                self._say(f"{tool.name} finds no way in")
                continue
            board.check(found, self._options.board, self._options.chip, self._options.boards)
            return tool, found
        raise self._no_prompt()

    def _no_prompt(self) -> FlashError:
        there = listen.why_no_prompt(self._port)
        chip = self._options.chip
        how = " && ".join(" ".join(words) for words in esptool.commands(chip, self._port))
        file = f"with the file from {esptool.page(chip)}: {how} (or --micropython FILE.bin)"
        if there in ("blank", "download"):
            return FlashError(
                "the chip is blank: there is no MicroPython on it", file, field="port"
            )
        if there == "other":
            return FlashError(
                "what is on the board is not MicroPython, or a program that cannot be interrupted",
                f"press its reset button and run the same again; else erase it, {file}",
                field="port",
            )
        return FlashError(
            f"nothing answers at {self._port}",
            "press the board's reset button and run the same again; is it an ESP32 with MicroPython?",
            field="port",
        )

    def _adopt(self) -> None:
        options = self._options
        wifi = options.wifi()
        self._say(f"making keys for {options.name}")
        answer = self._gateway.adopt(
            options.name, options.board, options.broker, again=options.again
        )
        self._waiting.keep(answer, wifi)

    # --- the end

    def _wait(self, config: Mapping[str, Any]) -> float:
        """config: what the board has now."""
        broker, wifi = config.get("broker") or {}, config.get("wifi") or {}
        where = f"{broker.get('host', 'the broker')}:{broker.get('port', '')}".rstrip(":")
        ssid = str(wifi.get("ssid") or config.get("ssid") or "that it has")

        def ask() -> Mapping[str, Any]:
            return self._known() or {}

        with listen.Port(self._port) as opened:
            return online.wait(opened, ask, self._options.wait_s, ssid=ssid, broker=where)
