"""`doorward light` and `doorward motion`: lamps and motion sensors as last heard of, and lamps set from afar."""

from pathlib import Path

import click

from doorward.cli.options import common, show
from doorward.cli.text import clean, local_time, table

_PATIENCE_S = 10.0
_MOVES = {True: "somebody", False: "nobody", None: None}


@click.group()
def light() -> None:
    """Lamps."""


@light.command("list")
@common
def list_lights(*, as_json: bool, data: Path | None) -> None:
    """Every lamp, as its board last told."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("lights")
    heads = ("lamp", "name", "board", "level %", "kelvin", "set by", "last heard")
    rows = [
        (
            one["id"],
            one["name"],
            "online" if one["online"] else "offline",
            one["level"],
            one["kelvin"],
            one["cause"],
            local_time(one["heard_at"]),
        )
        for one in answer
    ]
    show(answer, table(heads, rows) if rows else "no lamp is set up yet", as_json=as_json)


@light.command("set")
@click.argument("name")
@click.option("--level", type=int, required=True, help="How bright, 0 to 100 percent.")
@click.option(
    "--kelvin",
    type=int,
    help="The colour of its white, in K; what the lamp cannot do it comes close to.",
)
@click.option("--fade-ms", type=int, help="How long it takes to get there, in ms (400).")
@common
def set_light(
    name: str,
    level: int,
    kelvin: int | None,
    fade_ms: int | None,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """Set the lamp NAME, and wait until its board has done it."""
    from doorward.cli.client import Api, part

    order = {"level": level, "kelvin": kelvin, "fade_ms": fade_ms}
    with Api(data, timeout_s=_PATIENCE_S) as api:
        answer = api.post(f"lights/{part(name)}", order)
    show(answer, clean(f"{answer['name']} is set to {level} %"), as_json=as_json)


@click.group()
def motion() -> None:
    """Motion sensors."""


@motion.command("list")
@common
def list_motion(*, as_json: bool, data: Path | None) -> None:
    """Every motion sensor, as its board last told."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("motion")
    heads = ("sensor", "name", "board", "there is", "last came", "battery mV", "last heard")
    rows = [
        (
            one["id"],
            one["name"],
            "online" if one["online"] else "offline",
            _MOVES[one["motion"]],
            local_time(one["moved_at"]),
            one["battery_mv"],
            local_time(one["heard_at"]),
        )
        for one in answer
    ]
    show(answer, table(heads, rows) if rows else "no motion sensor is set up yet", as_json=as_json)
