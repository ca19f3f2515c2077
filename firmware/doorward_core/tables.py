# How every state machine here is written down: one row a line, "phase event next effects…".
#
# One text: as a dict it would be five times as large on a board.


from doorward_core.compat import ticks_add, ticks_diff


def row(table: str, phase: str, event: str) -> "list[str]":
    # [next phase, effect, …] of this row, its effects in their order; [] if there is none: then the
    # event changes nothing. table begins and ends with a line feed.
    key = "\n" + phase + " " + event + " "
    at = table.find(key)
    if at < 0:
        return []
    at += len(key)
    return table[at : table.find("\n", at)].split(" ")


class State:
    # Of a lock, which is released for a time and never beyond its cap: phase, the tick at which it
    # began, and its deadline (None: it lasts). Never changed once a step has returned it.
    __slots__ = ("phase", "since", "deadline")

    def __init__(self, phase: str, since: int, deadline: "int | None" = None) -> None:
        self.phase = phase
        self.since = since
        self.deadline = deadline


def advance(
    table: str, state: State, event: str, now: int, wanted: int, cap: int
) -> "tuple[State | None, list[str]]":
    # The next state and the effects, None where the event changes nothing. wanted: ms for which
    # "unlocked" is to last; cut to what is left of cap ms since it began. Other deadlines are the caller's.
    if event == "tick":
        if state.deadline is None or ticks_diff(now, state.deadline) < 0:
            return None, []
        event = "timeout"
    effects = row(table, state.phase, event)
    if not effects:
        return None, effects
    phase = effects.pop(0)
    since = state.since if phase == state.phase == "unlocked" else now
    deadline = None
    if phase == "unlocked":
        left = cap - ticks_diff(now, since)
        deadline = ticks_add(now, max(0, min(wanted, left)))
    return State(phase, since, deadline), effects
