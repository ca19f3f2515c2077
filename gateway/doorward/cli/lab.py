"""`doorward lab`: hands for the virtual site of a demo."""

from pathlib import Path

import click

from doorward.cli.options import common, show
from doorward.cli.text import clean, table


@click.group()
def lab() -> None:
    """The demo's virtual site: its cards, readers and doors."""


@lab.command("list")
@common
def list_site(*, as_json: bool, data: Path | None) -> None:
    """The boards and the cards that lie beside them."""
    from doorward.cli.client import Api

    with Api(data, demo=True) as api:
        answer = api.get("site")
    boards = [
        (
            b["id"],
            b["door_name"],
            "runs" if b["running"] else "stopped",
            b["contact"],
            " ".join(b["parts"]),
        )
        for b in answer["boards"]
    ]
    cards = [(c["key"], c["label"], f"…{c['tail']}") for c in answer["cards"]]
    text = table(("board", "name", "state", "contact", "parts"), boards)
    text += "\n\n" + table(("card", "what it is", "uid"), cards)
    show(answer, text, as_json=as_json)


@lab.command("tap")
@click.argument("door")
@click.option(
    "--card", required=True, help="A card of the site by name (see `lab list`), or a UID."
)
@common
def tap(door: str, card: str, *, as_json: bool, data: Path | None) -> None:
    """Hold a card into the field of DOOR's reader."""
    from doorward.cli.client import Api

    with Api(data, demo=True) as api:
        api.post("site/tap", order := {"door": door, "card": card})
    text = f"card {card} was held to {door}; `doorward audit list` shows what came of it"
    show(order, clean(text), as_json=as_json)


@lab.command("contact")
@click.argument("door")
@click.argument("position", type=click.Choice(["open", "closed"]))
@common
def contact(door: str, position: str, *, as_json: bool, data: Path | None) -> None:
    """Move DOOR's leaf, as its door contact sees it."""
    from doorward.cli.client import Api

    with Api(data, demo=True) as api:
        api.post("site/contact", order := {"door": door, "open": position == "open"})
    show(order, clean(f"{door} stands {position}"), as_json=as_json)


@lab.command("key")
@click.argument("board")
@click.argument("keys")
@common
def key(board: str, keys: str, *, as_json: bool, data: Path | None) -> None:
    """Type KEYS, like 2580#, on BOARD's keypad."""
    from doorward.cli.client import Api

    with Api(data, demo=True) as api:
        api.post("site/key", {"board": board, "keys": keys})
    show({"board": board}, clean(f"the keys were pressed at {board}"), as_json=as_json)


@lab.command("press")
@click.argument("board")
@click.argument("part", type=click.Choice(["rex", "tamper", "button"]))
@common
def press(board: str, part: str, *, as_json: bool, data: Path | None) -> None:
    """Press BOARD's exit button (rex) or lamp button for a moment, or take its lid off (tamper)."""
    from doorward.cli.client import Api

    with Api(data, demo=True) as api:
        api.post("site/press", order := {"board": board, "part": part})
    show(order, clean(f"{part} of {board} was pressed"), as_json=as_json)


@lab.command("motion")
@click.argument("board")
@click.argument("presence", type=click.Choice(["on", "off"]))
@common
def motion(board: str, presence: str, *, as_json: bool, data: Path | None) -> None:
    """Move before BOARD's motion sensor (on), or leave (off)."""
    from doorward.cli.client import Api

    with Api(data, demo=True) as api:
        api.post("site/motion", order := {"board": board, "there": presence == "on"})
    word = "somebody" if presence == "on" else "nobody"
    show(order, clean(f"{word} moves before {board}"), as_json=as_json)


@lab.command("pull")
@click.argument("board")
@click.option("--let-go", is_flag=True, help="Leave the door alone, which lets it fall shut.")
@common
def pull(board: str, *, let_go: bool, as_json: bool, data: Path | None) -> None:
    """Pull at the door of BOARD: it opens as soon as its lock lets go."""
    from doorward.cli.client import Api

    with Api(data, demo=True) as api:
        api.post("site/pull", order := {"board": board, "pulled": not let_go})
    word = "leaves it alone" if let_go else "pulls"
    show(order, clean(f"somebody at {board} {word}"), as_json=as_json)


@lab.command("faults")
@click.argument("board", required=False)
@click.argument("fault", required=False)
@click.option("--mend", is_flag=True, help="Mend it.")
@common
def faults(
    board: str | None, fault: str | None, *, mend: bool, as_json: bool, data: Path | None
) -> None:
    """Break something of BOARD; without BOARD, everything that can be broken.

    `doorward doctor BOARD` should then name it.
    """
    from doorward.cli.client import Api

    if (board is None) != (fault is None):
        raise click.UsageError("name a BOARD and a FAULT, or neither")
    with Api(data, demo=True) as api:
        if board is None:
            answer = api.get("site/faults")
            show(answer, table(("fault", "what it is"), list(answer.items())), as_json=as_json)
            return
        api.post("site/fault", order := {"board": board, "fault": fault, "broken": not mend})
    word = "is mended" if mend else f"is there; `doorward doctor {board}` looks for it"
    show(order, clean(f"{fault} of {board} {word}"), as_json=as_json)
