# The door: contact, strike, request to exit, held, forced and relock as one table.
#
# step(state, event, now, settings) -> (state, effects). now is in ticks (ms that wrap); nothing
# here reads a clock or a pin. Effects are "energise", "de-energise" or the type of an event to log.
# Egress is mechanical: REX only says that the next opening is not a forced one.

from doorward_core.compat import ticks_add, ticks_diff
from doorward_core.tables import row

# As tables.row() reads it. The events come from outside but for "timeout".
TRANSITIONS: str = """
locked grant unlocked energise lock.changed
locked opened forced door.forced
locked rex egress door.rex
unlocked grant unlocked
unlocked opened open de-energise door.open lock.changed
unlocked relock locked de-energise lock.changed
unlocked timeout locked de-energise lock.changed
egress grant unlocked energise lock.changed
egress opened open door.open
egress rex egress
egress timeout locked
open grant open
open closed locked door.closed
open timeout held door.held
held grant open
held closed locked door.closed
forced grant open
forced closed locked door.closed
"""


class Settings:
    # strike_ms: how long a grant energises the strike if it names no time; cap_ms: the longest
    # it may ever stay energised; held_ms: how long an opened door may stand open; rex_ms: how
    # long after REX an opening is not forced.
    __slots__ = ("strike_ms", "cap_ms", "held_ms", "rex_ms")

    def __init__(
        self, strike_ms: int = 5000, cap_ms: int = 10000, held_ms: int = 30000, rex_ms: int = 5000
    ) -> None:
        self.strike_ms = strike_ms
        self.cap_ms = cap_ms
        self.held_ms = held_ms
        self.rex_ms = rex_ms


class State:
    # phase, the tick at which it began, and its deadline (None: it lasts). Never changed.
    __slots__ = ("phase", "since", "deadline")

    def __init__(self, phase: str, since: int, deadline: "int | None") -> None:
        self.phase = phase
        self.since = since
        self.deadline = deadline


def start(contact_open: bool, now: int, settings: Settings) -> State:
    # The state after power-up. A door that stands open then was not seen being forced.
    if contact_open:
        return State("open", now, ticks_add(now, settings.held_ms))
    return State("locked", now, None)


def step(
    state: State, event: str, now: int, settings: Settings, grant_ms: "int | None" = None
) -> "tuple[State, list[str]]":
    # The next state and the effects to perform, in order. event: one of the table's, or "tick".
    # grant_ms: for "grant", how long the strike is wanted; it is cut to what is left of cap_ms
    # since the strike was energised.
    if event == "tick":
        if state.deadline is None or ticks_diff(now, state.deadline) < 0:
            return state, []
        event = "timeout"
    effects = row(TRANSITIONS, state.phase, event)
    if not effects:
        return state, effects
    phase = effects.pop(0)
    since = state.since if phase == state.phase == "unlocked" else now
    deadline = None
    if phase == "unlocked":
        wanted = settings.strike_ms if grant_ms is None else grant_ms
        left = settings.cap_ms - ticks_diff(now, since)
        deadline = ticks_add(now, max(0, min(wanted, left)))
    elif phase == "open":
        deadline = ticks_add(now, settings.held_ms)
    elif phase == "egress":
        deadline = ticks_add(now, settings.rex_ms)
    return State(phase, since, deadline), effects
