"""`doorward board flash`, which ./flash.sh calls: a board over USB, from blank to online."""

import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorward.cli.failure import INTERRUPTED, Failure, refusals
from doorward.cli.options import common, show
from doorward.cli.secret import ask, first_line
from doorward.cli.text import clean

if TYPE_CHECKING:
    from doorward.boards import Profile
    from doorward.cli.client import Api
    from doorward.flash import Options, Result, Wifi

_BAR = 30
_PATIENCE_S = 120.0  # the first adoption of a site makes the key that signs firmware
_ANNOUNCED = "announced"


class _Gateway:
    """What flashing asks of the gateway."""

    def __init__(self, api: "Api") -> None:
        self._api = api

    def boards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._api.get("devices")
        return found

    def adopt(self, name: str, profile: str, broker: str | None, *, again: bool) -> dict[str, Any]:
        order = {"id": name, "board": profile, "broker": broker, "again": again}
        answer: dict[str, Any] = self._api.post("devices", order)
        return answer


@click.command()
@click.option("--board", required=True, help="How it is wired: boards/NAME.toml.")
@click.option("--name", required=True, help="What the board is called: 1 to 32 of A-Z a-z 0-9 _ -.")
@click.option("--port", help="Its USB port, when several boards are plugged in.")
@click.option("--door", help="Also trust it with this door, once it has announced itself.")
@click.option(
    "--wifi", "ssid", metavar="SSID", help="Its network; asked for once, then remembered."
)
@click.option(
    "--wifi-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the network's password from the first line of a file.",
)
@click.option("--broker", metavar="HOST[:PORT]", help="Where the board finds the broker.")
@click.option("--again", is_flag=True, help="New keys for a board that is known; the old are void.")
@click.option(
    "--micropython",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.bin",
    help="First erase the chip and put MicroPython from this file on it, with esptool.",
)
@click.option("--with", "tool", type=click.Choice(["mpremote", "ampy"]), help="Only this tool.")
@click.option(
    "--wait",
    type=click.IntRange(1, 600),
    default=60,
    show_default=True,
    help="Seconds to wait for it.",
)
@click.option("--yes", is_flag=True, help="Do not ask before a chip is erased.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@common
def flash(  # noqa: PLR0913 - one parameter an option
    *,
    board: str,
    name: str,
    port: str | None,
    door: str | None,
    ssid: str | None,
    wifi_password_file: Path | None,
    broker: str | None,
    micropython: Path | None,
    tool: str | None,
    wait: int,
    again: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    data: Path | None,
) -> None:
    """Put firmware, wiring and keys onto a board at a USB port, and wait until the gateway hears it.

    Run it again after any mishap: it goes on where it was, and uploads only what differs.
    """
    from doorward.cli.client import Api
    from doorward.flash import Job, Stopped, chosen, find

    profile = _profile(board)
    if micropython is not None and dry_run:
        _say_esptool(profile.chip, port, micropython, as_json=as_json)
        return
    with refusals():
        usb = find(port)
    with Api(data, timeout_s=_PATIENCE_S) as api, refusals():
        options = _options(api.directory, board, profile, name, _wifi(ssid, wifi_password_file))
        options = replace(
            options,
            new_wifi=ssid is not None,
            broker=broker,
            again=again,
            wait_s=wait,
            micropython=micropython,
        )
        job = Job(options, usb, chosen(usb, tool), _Gateway(api), _say, _progress)
        if dry_run:
            seen = job.look()
            show({"steps": seen.steps}, "\n".join(map(clean, seen.steps)), as_json=as_json)
            return
        try:
            done = job.run(lambda: None if yes else _sure(usb))
        except Stopped as stopped:
            raise Failure(stopped.message, code=stopped.code, exit_code=INTERRUPTED) from None
        approved = _approve(api, done, door)
    show({**asdict(done), "door": approved}, clean(_told(done, approved)), as_json=as_json)


def _profile(board: str) -> "Profile":
    from doorward import boards
    from doorward.data import data_root

    folder = data_root() / "boards"
    with refusals():
        profile = boards.load(folder, board)
    for finding in boards.lint(profile):
        raise Failure(f"{board}: {finding}", code="invalid", field="board")
    return profile


def _options(
    directory: Path, board: str, profile: "Profile", name: str, wifi: "Callable[[Path], Wifi]"
) -> "Options":
    from doorward import boards
    from doorward.data import data_root
    from doorward.flash import Options

    root = data_root()
    state = directory / "flash"
    return Options(
        board=board,
        chip=profile.chip,
        profile=boards.compiled(profile),
        boards=boards.names(root / "boards"),
        name=name,
        firmware=root / "firmware",
        state=state,
        wifi=lambda: wifi(state / "wifi.json"),
    )


def _wifi(ssid: str | None, password_file: Path | None) -> "Callable[[Path], Wifi]":
    """How the board's network is come by: as said, as remembered, or asked for."""
    from doorward.flash import Wifi
    from doorward.flash.wifi import remembered

    if ssid is None and password_file is not None:
        raise click.UsageError("--wifi-password-file needs --wifi")

    def asked(name: str | None) -> Wifi:
        if name is None and not sys.stdin.isatty():
            raise Failure(
                "no Wi-Fi is known, and there is no terminal to ask; use --wifi and --wifi-password-file",
                code="invalid",
                field="wifi",
            )
        known = name or str(click.prompt("Wi-Fi of your boards (2.4 GHz)", err=True))
        if password_file is not None:
            return Wifi(known, first_line(password_file))
        return Wifi(known, ask(f"Password of {known}", "--wifi-password-file"))

    told: list[Wifi] = []

    def tell(path: Path) -> Wifi:
        if not told:
            said = asked(ssid) if ssid is not None else None
            told.append(remembered(path, said, lambda: asked(None)))
        return told[0]

    return tell


def _say_esptool(chip: str, port: str | None, file: Path, *, as_json: bool) -> None:
    """What would be run: no board has to be there for that."""
    from doorward.flash import esptool
    from doorward.flash.port import attached

    with refusals():
        there = attached()
    named = port or (there[0][0] if len(there) == 1 else "PORT")
    lines = [" ".join(words) for words in esptool.commands(chip, named, str(file))]
    show({"commands": lines}, "\n".join(map(clean, lines)), as_json=as_json)


def _sure(port: str) -> None:
    if not sys.stdin.isatty():
        raise Failure(
            f"everything on the chip at {port} would be erased, and there is no terminal to ask; add --yes",
            code="invalid",
            field="micropython",
        )
    if not click.confirm(f"Erase everything on the chip at {port}?", err=True):
        raise Failure(
            "nothing was erased; run the same again without --micropython", code="stopped"
        )


def _approve(api: "Api", done: "Result", door: str | None) -> str | None:
    """Trust a board that has announced itself with its door, if one was said."""
    from doorward.cli.client import part

    if door is None or done.state != _ANNOUNCED:
        return None
    answer = api.post(f"devices/{part(done.name)}/approve", {"door": door})
    kept: str = answer["door_name"]
    return kept


def _told(done: "Result", door: str | None) -> str:
    lines = [f"{done.name}: nothing to upload, it is up to date"]
    if done.files:
        size = f"{done.files} files, {-(-done.bytes // 1024)} KiB"
        lines = [f"{done.name}: {size} uploaded, firmware {done.version} in slot {done.slot}"]
    if done.removed:
        lines.append(f"removed: {', '.join(done.removed)}")
    if done.trial:
        lines.append("the new firmware is on trial; it is kept once it has worked for ten seconds")
    if door is not None:
        lines.append(f"it keeps {door} from now on")
    elif done.state == _ANNOUNCED:
        lines.append(f"say which door it keeps: doorward device approve {done.name} --door NAME")
    lines.append(f"{done.name} came online in {done.online_s:.1f} s")
    return "\n".join(lines)


def _say(step: str) -> None:
    if sys.stderr.isatty():
        click.echo(clean(f"{step} …"), err=True)


def _progress(done: int, total: int) -> None:
    if not sys.stderr.isatty():
        return
    filled = _BAR * done // max(1, total)
    bar = "#" * filled + "-" * (_BAR - filled)
    click.echo(f"\r[{bar}] {done // 1024} of {total // 1024} KiB", err=True, nl=done >= total)
