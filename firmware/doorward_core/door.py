# The door: contact, strike, request to exit, held, forced and relock as one table.
#
# step(state, event, now, settings) -> (state, effects). now is in ticks (ms that wrap); nothing
# here reads a clock or a pin. Effects are "energise", "de-energise" or the type of an event to log.
# Egress is mechanical: REX only says that the next opening is not a forced one.

from doorward_core.compat import const, ticks_add
from doorward_core.tables import State, advance

# How long after REX an opening is not forced.
_EGRESS_MS = const(5000)

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
    # it may ever stay energised; held_ms: how long an opened door may stand open.
    __slots__ = ("strike_ms", "cap_ms", "held_ms")

    def __init__(self, strike_ms: int = 5000, cap_ms: int = 10000, held_ms: int = 30000) -> None:
        self.strike_ms = strike_ms
        self.cap_ms = cap_ms
        self.held_ms = held_ms


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
    wanted = settings.strike_ms if grant_ms is None else grant_ms
    after, effects = advance(TRANSITIONS, state, event, now, wanted, settings.cap_ms)
    if after is None:
        return state, effects
    if after.phase == "open":
        after.deadline = ticks_add(now, settings.held_ms)
    elif after.phase == "egress":
        after.deadline = ticks_add(now, _EGRESS_MS)
    return after, effects
