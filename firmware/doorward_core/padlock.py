# The vault's padlock: released for a while, relocked, and watched until its bolt is home again.
#
# step(state, event, now, settings) -> (state, effects). now is in ticks; nothing here reads a clock
# or a pin. Effects are "unlock", "lock" or the type of an event to log. Whether the bolt is home,
# the driver tells: from its switch, or, without one, from having moved it.

from doorward_core.compat import ticks_add
from doorward_core.tables import State, advance

# As tables.row() reads it. "bolted", "slipped", "jammed": the bolt is home, is not, or does not
# get there. The events come from outside but for "timeout".
TRANSITIONS: str = """
locking bolted locked lock.changed
locking grant unlocked unlock lock.changed
locking jammed jammed door.held
locked grant unlocked unlock lock.changed
locked slipped forced door.forced
unlocked grant unlocked lock.changed
unlocked bolted locked lock.changed
unlocked relock locking lock
unlocked timeout locking lock
jammed grant unlocked unlock lock.changed
jammed relock jammed lock
jammed timeout jammed lock
jammed bolted locked lock.changed door.closed
forced grant unlocked unlock lock.changed
forced relock locking lock
forced bolted locked door.closed
"""


class Settings:
    # open_ms: how long a grant leaves it unlocked if it names no time; cap_ms: the longest that
    # grants on end may; retry_ms: how long a stuck bolt is left alone before the next try.
    __slots__ = ("open_ms", "cap_ms", "retry_ms")

    def __init__(self, open_ms: int = 5000, cap_ms: int = 10000, retry_ms: int = 30000) -> None:
        self.open_ms = open_ms
        self.cap_ms = cap_ms
        self.retry_ms = retry_ms


def start(now: int) -> State:
    # The state after power-up, when the bolt has been told to go home.
    return State("locking", now)


def step(
    state: State, event: str, now: int, settings: Settings, grant_ms: "int | None" = None
) -> "tuple[State, list[str]]":
    # The next state and the effects to perform, in order. event: one of the table's, or "tick".
    # grant_ms: for "grant", how long it is wanted; cut to what is left of cap_ms since the first.
    wanted = settings.open_ms if grant_ms is None else grant_ms
    after, effects = advance(TRANSITIONS, state, event, now, wanted, settings.cap_ms)
    if after is None:
        return state, effects
    if after.phase == "jammed":
        after.deadline = ticks_add(now, settings.retry_ms)
    return after, effects
