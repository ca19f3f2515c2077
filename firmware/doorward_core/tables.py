# How every state machine here is written down: one row a line, "phase event next effects…".
#
# One text: as a dict it would be five times as large on a board.


def row(table: str, phase: str, event: str) -> "list[str]":
    # [next phase, effect, …] of this row, its effects in their order; [] if there is none: then the
    # event changes nothing. table begins and ends with a line feed.
    key = "\n" + phase + " " + event + " "
    at = table.find(key)
    if at < 0:
        return []
    at += len(key)
    return table[at : table.find("\n", at)].split(" ")
