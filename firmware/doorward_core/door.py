# The door: contact, strike, request to exit, held, forced and relock as one table.
#
# step(state, event, now, settings) -> (state, effects). now is in ticks (ms that wrap); nothing
# here reads a clock or a pin. Effects are ENERGISE, DE_ENERGISE or the type of an event to log.
# Egress is mechanical: REX only says that the next opening is not a forced one.

from doorward_core.compat import const, ticks_add, ticks_diff

LOCKED = const(0)
UNLOCKED = const(1)
EGRESS = const(2)
OPEN = const(3)
HELD = const(4)
FORCED = const(5)
PHASES = ("locked", "unlocked", "egress", "open", "held", "forced")

GRANT = "grant"
RELOCK = "relock"
OPENED = "opened"
CLOSED = "closed"
REX = "rex"
TICK = "tick"
_TIMEOUT = "timeout"

ENERGISE = "energise"
DE_ENERGISE = "de-energise"
LOCK_CHANGED = "lock.changed"
DOOR_OPEN = "door.open"
DOOR_CLOSED = "door.closed"
DOOR_FORCED = "door.forced"
DOOR_HELD = "door.held"
DOOR_REX = "door.rex"

_RELOCK = (DE_ENERGISE, LOCK_CHANGED)

# (phase, event) -> (next phase, effects). What is not here changes nothing.
TRANSITIONS = {
    (LOCKED, GRANT): (UNLOCKED, (ENERGISE, LOCK_CHANGED)),
    (LOCKED, OPENED): (FORCED, (DOOR_FORCED,)),
    (LOCKED, REX): (EGRESS, (DOOR_REX,)),
    (UNLOCKED, GRANT): (UNLOCKED, ()),
    (UNLOCKED, OPENED): (OPEN, (DE_ENERGISE, DOOR_OPEN, LOCK_CHANGED)),
    (UNLOCKED, RELOCK): (LOCKED, _RELOCK),
    (UNLOCKED, _TIMEOUT): (LOCKED, _RELOCK),
    (EGRESS, GRANT): (UNLOCKED, (ENERGISE, LOCK_CHANGED)),
    (EGRESS, OPENED): (OPEN, (DOOR_OPEN,)),
    (EGRESS, REX): (EGRESS, ()),
    (EGRESS, _TIMEOUT): (LOCKED, ()),
    (OPEN, GRANT): (OPEN, ()),
    (OPEN, CLOSED): (LOCKED, (DOOR_CLOSED,)),
    (OPEN, _TIMEOUT): (HELD, (DOOR_HELD,)),
    (HELD, GRANT): (OPEN, ()),
    (HELD, CLOSED): (LOCKED, (DOOR_CLOSED,)),
    (FORCED, GRANT): (OPEN, ()),
    (FORCED, CLOSED): (LOCKED, (DOOR_CLOSED,)),
}


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

    def __init__(self, phase: int, since: int, deadline: "int | None") -> None:
        self.phase = phase
        self.since = since
        self.deadline = deadline


def start(contact_open: bool, now: int, settings: Settings) -> State:
    # The state after power-up. A door that stands open then was not seen being forced.
    if contact_open:
        return State(OPEN, now, ticks_add(now, settings.held_ms))
    return State(LOCKED, now, None)


def step(
    state: State, event: str, now: int, settings: Settings, grant_ms: "int | None" = None
) -> "tuple[State, tuple[str, ...]]":
    # The next state and the effects to perform, in order. grant_ms: for GRANT, how long the
    # strike is wanted; it is cut to what is left of cap_ms since the strike was energised.
    if event == TICK:
        if state.deadline is None or ticks_diff(now, state.deadline) < 0:
            return state, ()
        event = _TIMEOUT
    row = TRANSITIONS.get((state.phase, event))
    if row is None:
        return state, ()
    phase, effects = row
    since = state.since if phase == state.phase == UNLOCKED else now
    return State(phase, since, _deadline(phase, since, now, settings, grant_ms)), effects


def _deadline(
    phase: int, since: int, now: int, settings: Settings, grant_ms: "int | None"
) -> "int | None":
    if phase == UNLOCKED:
        wanted = settings.strike_ms if grant_ms is None else grant_ms
        left = settings.cap_ms - ticks_diff(now, since)
        return ticks_add(now, max(0, min(wanted, left)))
    if phase == OPEN:
        return ticks_add(now, settings.held_ms)
    if phase == EGRESS:
        return ticks_add(now, settings.rex_ms)
    return None
