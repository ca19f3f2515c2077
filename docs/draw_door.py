"""Draws the state machines from their tables: `python docs/draw_door.py` rewrites the diagrams in these pages."""

from pathlib import Path

from doorward_core import door, lockout, padlock

HERE = Path(__file__).parent
# page → each of its diagrams: the name in its mark, and the table.
TABLES = {
    "architecture.md": {"door": door.TRANSITIONS},
    "lockout.md": {"lockout": lockout.TRANSITIONS, "padlock": padlock.TRANSITIONS},
}
END = "```\n"


def diagram(table: str) -> str:
    """A Mermaid state diagram: phases, the events between them, and what each makes happen."""
    rows = [row.split() for row in table.strip().splitlines()]
    lines = ["stateDiagram-v2", f"    [*] --> {rows[0][0]}"]
    for phase, event, after, *effects in rows:
        said = f"{event} / {', '.join(effects)}" if effects else event
        lines.append(f"    {phase} --> {after}: {said}")
    return "\n".join(lines) + "\n"


def drawn(page: str, tables: dict[str, str]) -> str:
    """The page with its diagrams as the tables have them now."""
    for name, table in tables.items():
        begin = f"<!-- {name}, drawn by docs/draw_door.py -->\n```mermaid\n"
        before, rest = page.split(begin, 1)
        page = before + begin + diagram(table) + END + rest.split(END, 1)[1]
    return page


if __name__ == "__main__":
    for name, tables in TABLES.items():
        path = HERE / name
        path.write_text(drawn(path.read_text(), tables))
