"""`doorward device`: boards. Their secrets go from the local socket into files for their owner alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.board_files import Wifi, check_id, new_folder, write_board
from doorward.cli.failure import Failure
from doorward.cli.options import common, show
from doorward.cli.secret import ask
from doorward.cli.text import clean, local_time, table
from doorward.cli.waiting import told_if_long
from doorward.errors import NothingToDo

_PROFILE = "door-esp32"
_NEWEST = 500
_PATIENCE_S = 120.0  # a board that is rekeyed starts anew first; a small machine makes keys slowly


@click.group()
def device() -> None:
    """Boards: give one its keys, let it in, shut it out."""


@device.command("adopt")
@click.argument("board_id", metavar="ID")
@click.option(
    "--board", default=_PROFILE, show_default=True, help="How it is wired: boards/NAME.toml."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("boards-adopted"),
    show_default=True,
    help="Where the folder with its files goes.",
)
@click.option(
    "--broker", metavar="HOST[:PORT]", help="Where boards find the broker: an address or a name."
)
@click.option("--wifi", "ssid", metavar="SSID", help="Its network. The password is asked for.")
@click.option(
    "--wifi-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the network's password from the first line of a file.",
)
@click.option("--again", is_flag=True, help="New keys for a board that is known; the old are void.")
@common
def adopt(  # noqa: PLR0913 - one parameter an option
    board_id: str,
    board: str,
    out: Path,
    broker: str | None,
    ssid: str | None,
    wifi_password_file: Path | None,
    *,
    again: bool,
    as_json: bool,
    data: Path | None,
) -> None:
    """Give the board ID its keys, and write the files that go onto it over USB.

    They are for this board alone, and nobody can have them a second time.
    """
    from doorward.cli.client import Api

    wifi = _wifi(ssid, wifi_password_file)
    check_id(board_id)
    # The folder first: keys that cannot be written down would shut the old board out for nothing.
    with (
        Api(data, timeout_s=_PATIENCE_S) as api,
        new_folder(out / board_id) as folder,
        told_if_long(
            "still at it; the first time makes the key that signs firmware, which takes up to a minute"
        ),
    ):
        order = {"id": board_id, "board": board, "broker": broker, "again": again}
        answer = api.post("devices", order)
        write_board(folder, answer, wifi)
    told = {"board": answer["board"], "again": answer["again"], "folder": str(folder)}
    void = "; what held its old keys is shut out" if answer["again"] else ""
    text = (
        f"{board_id} has its keys in {folder}{void}\n"
        "next, with the board plugged in: mpremote fs cp -r firmware/. :\n"
        f"  mpremote fs cp -r {folder}/. : + reset\n"
        f"then give it power, and: doorward device approve {board_id} --door NAME"
    )
    show(told, "\n".join(clean(line) for line in text.split("\n")), as_json=as_json)


def _wifi(ssid: str | None, password_file: Path | None) -> Wifi | None:
    if ssid is None:
        if password_file is not None:
            raise click.UsageError("--wifi-password-file needs --wifi")
        return None
    if password_file is not None:
        lines = password_file.read_text(encoding="utf-8").splitlines()
        return Wifi(ssid, lines[0] if lines else "")
    return Wifi(ssid, ask(f"Password of {ssid}", "--wifi-password-file"))


@device.command("list")
@common
def list_devices(*, as_json: bool, data: Path | None) -> None:
    """Every board that was ever adopted."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("devices")
    heads = ("board", "state", "door", "link", "firmware", "last heard", "refused")
    text = table(heads, [_row(board) for board in answer])
    nobody = "no board yet; give one its keys with `doorward device adopt ID`"
    show(answer, text if answer else nobody, as_json=as_json)


def _row(board: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        board["id"],
        board["state"],
        board["door_name"] or board["name"],
        ("online" if board["online"] else "offline") if board["state"] == "approved" else None,
        _firmware(board),
        local_time(board["heard_at"]),
        board["rejected"],
    )


def _firmware(board: Mapping[str, Any]) -> str | None:
    running, newer = board["firmware"], board["available"]
    return f"{running}, {newer} is newer" if newer else running


@device.command("approve")
@click.argument("board_id", metavar="ID")
@click.option(
    "--door",
    "--name",
    "door",
    required=True,
    help="The door that it keeps: a new name, or that of a door without a board. Or a lamp's, or a sensor's.",
)
@click.option("--strike-s", type=int, help="How long the strike is released, in seconds (5).")
@click.option("--held-s", type=int, help="How long the door may stand open, in seconds (30).")
@common
def approve(
    board_id: str,
    door: str,
    strike_s: int | None,
    held_s: int | None,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """Trust the board ID with a door. It has to have announced itself."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        order = {"door": door, "strike_s": strike_s, "held_s": held_s}
        answer = api.post(f"devices/{part(board_id)}/approve", order)
    kept, called = answer["door_name"], answer["name"]
    text = f"{answer['id']} keeps {kept}" if kept else f"{answer['id']} is called {called}"
    show(answer, clean(f"{text} from now on"), as_json=as_json)


@device.command("revoke")
@click.argument("board_id", metavar="ID")
@common
def revoke(
    board_id: str,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """Shut the board ID out for good, at once: certificate, keys, connection, session and all that waits for it."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        answer = api.post(f"devices/{part(board_id)}/revoke")
    door = answer["door_name"]
    rest = f"; {door} has no board until another is approved for it" if door else ""
    show(answer, clean(f"{answer['id']} is shut out{rest}"), as_json=as_json)


@device.command("rekey")
@click.argument("board_id", metavar="ID")
@common
def rekey(
    board_id: str,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """Give the board ID a new key over the air. One that leaked is replaced with `adopt --again` instead."""
    from doorward.cli.client import Api, part

    with Api(data, timeout_s=_PATIENCE_S) as api:
        answer = api.post(f"devices/{part(board_id)}/rekey")
    show(answer, clean(f"{answer['id']} uses key number {answer['epoch']}"), as_json=as_json)


@device.command("flight")
@click.argument("board_id", metavar="ID")
@common
def flight(
    board_id: str,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """What the board ID did before it failed last, as its flight recorder kept it."""
    from doorward.cli.client import Api

    with Api(data) as api:
        rows = api.get("audit", limit=_NEWEST)
    lines: list[str] = []
    for row in rows:  # the newest first
        if row["kind"] == "board.flight" and row["device"] == board_id:
            lines[:0] = row["note"].split("; ")
            if ", part 1 of " in row["why"]:
                break
    nothing = f"no recording of {board_id} among the newest {_NEWEST} entries of the audit"
    told = "\n".join(clean(line) for line in lines) or nothing
    show({"id": board_id, "notes": lines}, told, as_json=as_json)


@device.command("update")
@click.argument("board_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everywhere", is_flag=True, help="Every board that is online, in turn.")
@click.option("--version", help="Another firmware than the newest: see `doorward firmware list`.")
@click.option("--no-wait", is_flag=True, help="Return when it has begun.")
@click.option("--cancel", is_flag=True, help="Call back what is not installed yet.")
@common
def update(
    board_ids: tuple[str, ...],
    version: str | None,
    *,
    everywhere: bool,
    no_wait: bool,
    cancel: bool,
    as_json: bool,
    data: Path | None,
) -> int:
    """Give boards a firmware over the network, one after the other. Doors go on meanwhile.

    Where one board fails, those after it keep what they have. Ends with 1 then, and with 0 where no board lacks it.
    With --cancel boards that wait keep what they have, and those that fetch stop; a board on trial goes back by itself
    if it fails.
    """
    from doorward.cli.client import Api
    from doorward.cli.updating import follow, outcome

    if everywhere == bool(board_ids):
        raise click.UsageError("name boards, or say --all")
    if cancel and version:
        raise click.UsageError("--cancel takes no --version")
    with Api(data, timeout_s=_PATIENCE_S) as api:
        chosen = None if everywhere else list(board_ids)
        if cancel:
            answer = api.post("updates/cancel", {"devices": chosen})
            show(answer, "\n".join(map(outcome, answer)), as_json=as_json)
            return 0
        order = {"devices": chosen, "version": version}
        with told_if_long("making this firmware ready; the first time that takes a while"):
            try:
                answer = api.post("updates", order)
            except Failure as failure:
                if failure.code != NothingToDo.code:
                    raise
                show([], clean(failure.message), as_json=as_json)
                return 0
        if not no_wait:
            answer = follow(api, answer[0]["rollout"], quiet=as_json)
    show(answer, "\n".join(map(outcome, answer)), as_json=as_json)
    bad = {"rolled back", "refused", "failed", "stopped", "cancelled"}
    return 1 if any(one["state"] in bad for one in answer) else 0
