"""Draws the wiring of every board profile: `python docs/draw_boards.py` rewrites the diagrams in docs/wiring."""

from pathlib import Path

from doorward import boards
from doorward.boards import drawing

FOLDER = Path(__file__).with_name("wiring")
PROFILES = Path(__file__).parents[1] / "boards"


def drawn() -> dict[str, str]:
    """The diagrams by file name, as the profiles have them now."""
    return {
        f"{name}.svg": drawing.svg(boards.load(PROFILES, name)) for name in boards.names(PROFILES)
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    for name, text in drawn().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
