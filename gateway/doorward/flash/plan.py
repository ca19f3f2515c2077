"""What a board lacks: what was asked for, held against what it said of itself and what the gateway knows of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorward.flash import image
from doorward.flash.board import Facts
from doorward.flash.errors import FlashError
from doorward.flash.upload import Wanted
from doorward.flash.wifi import Wifi

_KEPT = ("role", "pins", "board")
REVOKED, _APPROVED = "revoked", "approved"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. profile: the wiring as config.json has it; boards: the profiles that there are.

    wifi: tells the network, when the board needs one. new_wifi: it was said anew, and goes onto a board that has one.
    state: a folder for what waits; firmware: the source folder. micropython: is put onto the erased chip first.
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
    micropython: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What the board lacks. keys: new ones go onto it; patch: what changes in its config.json."""

    wanted: Wanted
    keys: bool
    adopt: bool
    patch: dict[str, Any]


def plan(
    options: Options,
    facts: Facts,
    known: Mapping[str, Any] | None,
    made: image.Image,
    *,
    waits: bool,
) -> Plan:
    """Return what is to be done. Raises FlashError for a board of another name.

    known: the gateway's view of the board; waits: whether there are keys for it that it has not got yet.
    """
    wanted_name, again = options.name, options.again
    if facts.name not in (None, wanted_name) and not again:
        raise FlashError(
            f"the board is {facts.name}",
            f"say --name {facts.name}, or --again to make it {wanted_name} with new keys",
            field="name",
        )
    lives = known is not None and known["state"] != REVOKED
    waits = waits and lives and not again
    keeps = facts.name == wanted_name and facts.has_keys and lives and not again and not waits
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
    patch = _patch(options, facts) if keeps else {}
    return Plan(wanted, keys=not keeps, adopt=not keeps and not waits, patch=patch)


def _patch(options: Options, facts: Facts) -> dict[str, Any]:
    """What of the board's settings is not as the profile and the options have it."""
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
