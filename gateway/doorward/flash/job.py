"""One board, from its port to the gateway's page: every step in its order, and nothing that was done already."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from doorward.flash import board, esptool, image, listen, online, turns
from doorward.flash.board import Facts
from doorward.flash.errors import FlashError, NoPrompt
from doorward.flash.keys import Waiting
from doorward.flash.scripts import PROBE, report
from doorward.flash.tools import Tool
from doorward.flash.upload import Upload, Wanted
from doorward.flash.wifi import Wifi

_KEPT = ("role", "pins", "board")
_REVOKED, _APPROVED = "revoked", "approved"


class Gateway(Protocol):
    """What is asked of the gateway, over its local socket."""

    def boards(self) -> list[dict[str, Any]]:
        """Every board that was ever adopted."""

    def adopt(self, name: str, profile: str, broker: str | None, *, again: bool) -> dict[str, Any]:
        """Give a board its keys; nobody can have them a second time."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. profile: the wiring as config.json has it; boards: the profiles that there are.

    wifi: tells the network, when the board needs one. new_wifi: it was said anew, and goes onto a board that has one.
    state: a folder for what waits; firmware: the source folder.
    """

    board: str
    chip: str
    profile: Mapping[str, Any]
    boards: Sequence[str]
    name: str
    firmware: Path
    state: Path
    wifi: Callable[[], Wifi]
    new_wifi: bool = False
    broker: str | None = None
    again: bool = False
    wait_s: float = 60.0


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


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the board lacks. keys: new ones go onto it; patch: what changes in its config.json."""

    wanted: Wanted
    keys: bool
    adopt: bool
    patch: dict[str, Any]


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

    def run(self) -> Result:
        """Do it."""
        with turns.hold(self._options.state, self._options.name, self._port):
            return self._run()

    def _run(self) -> Result:
        known = self._known()
        tool, facts = self._probe()
        with tempfile.TemporaryDirectory(prefix="doorward-") as folder:
            made = image.compiled(self._options.firmware, Path(folder))
            plan = self._plan(facts, known, made)
            if plan.adopt:
                self._adopt()
            upload = Upload(tool, facts, made, self._say, self._progress)
            keys = self._waiting.files() if plan.keys else {}
            done = upload.run(plan.wanted, keys, plan.patch)
        if plan.keys:
            self._waiting.drop()
        self._say("starting it")
        config = json.loads(keys["/config.json"]) if plan.keys else {**facts.config, **plan.patch}
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
        with turns.hold(self._options.state, self._options.name, self._port):
            return self._look()

    def _look(self) -> Seen:
        known = self._known()
        tool, facts = self._probe()
        with tempfile.TemporaryDirectory(prefix="doorward-") as folder:
            made = image.compiled(self._options.firmware, Path(folder))
        plan = self._plan(facts, known, made)
        listen_and_leave(self._port)
        steps = [f"{tool.name}: MicroPython {facts.release} on {facts.machine}"]
        if plan.keys:
            steps.append("new keys" if plan.adopt else "the keys that wait for it")
        if plan.wanted.firmware:
            steps.append(f"firmware {made.version} into the slot that is not in use")
        steps += sorted(plan.wanted.beside)
        if plan.patch:
            steps.append(f"/config.json: {', '.join(sorted(plan.patch))}")
        return Seen(tuple(steps) if len(steps) > 1 else (*steps, "nothing: it is up to date"))

    # --- what is there

    def _known(self) -> dict[str, Any] | None:
        return next(
            (one for one in self._gateway.boards() if one["id"] == self._options.name), None
        )

    def _probe(self) -> tuple[Tool, Facts]:
        self._say(f"looking at the board at {self._port}")
        for tool in self._tools:
            try:
                found = board.facts(report(tool.run(PROBE, fresh=True)))
            except NoPrompt:
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

    # --- what is wanted

    def _plan(self, facts: Facts, known: Mapping[str, Any] | None, made: image.Image) -> _Plan:
        wanted_name, again = self._options.name, self._options.again
        if facts.name not in (None, wanted_name) and not again:
            raise FlashError(
                f"the board is {facts.name}",
                f"say --name {facts.name}, or --again to make it {wanted_name} with new keys",
                field="name",
            )
        lives = known is not None and known["state"] != _REVOKED
        waits = self._waiting.is_there and lives and not again
        keeps = facts.name == wanted_name and facts.has_keys and lives and not again and not waits
        patch = self._patch(facts) if keeps else {}
        same = facts.manifest == image.digest(made.manifest) and bool(facts.slot)
        beside = {
            path: content
            for path, content, held in (
                ("/boot.py", made.boot, facts.boot),
                ("/main.py", made.main, facts.main),
            )
            if image.digest(content) != held
        }
        # One that nobody has approved hears no answer from the gateway, and could not prove itself.
        trial = keeps and known is not None and known["state"] == _APPROVED
        foreign = facts.name not in (None, wanted_name)
        wanted = Wanted(not same, beside, trial, foreign)
        return _Plan(wanted, keys=not keeps, adopt=not keeps and not waits, patch=patch)

    def _patch(self, facts: Facts) -> dict[str, Any]:
        """What of the board's settings is not as the profile and the options have it."""
        options = self._options
        said = {**options.profile, "board": options.board}
        patch = {name: said[name] for name in _KEPT if facts.config.get(name) != said[name]}
        if options.new_wifi:
            patch["wifi"] = options.wifi().as_config()
        if options.broker is not None:
            host, _, port = options.broker.partition(":")
            held = facts.config.get("broker") or {}
            told = {**held, "host": host, **({"port": int(port)} if port.isdecimal() else {})}
            if told != held:
                patch["broker"] = told
        return patch

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


def listen_and_leave(port: str) -> None:
    """Let the board run again."""
    with listen.Port(port) as opened:
        opened.reset()
