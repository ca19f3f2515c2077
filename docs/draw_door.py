"""Draws the door's states from its table: `python docs/draw_door.py` rewrites the diagram in docs/architecture.md."""

from pathlib import Path

from doorward_core import door

PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- drawn by docs/draw_door.py -->\n```mermaid\n", "```\n"


def diagram() -> str:
    """A Mermaid state diagram: phases, the events between them, and what each makes happen."""
    rows = [row.split() for row in door.TRANSITIONS.strip().splitlines()]
    lines = ["stateDiagram-v2", f"    [*] --> {rows[0][0]}"]
    for phase, event, after, *effects in rows:
        said = f"{event} / {', '.join(effects)}" if effects else event
        lines.append(f"    {phase} --> {after}: {said}")
    return "\n".join(lines) + "\n"


def drawn(page: str) -> str:
    """The page with the diagram as the table has it now."""
    before, rest = page.split(BEGIN, 1)
    return before + BEGIN + diagram() + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text()))
