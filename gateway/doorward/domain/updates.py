"""Updates of boards: one order a board, in roll-outs that go from board to board and stop where one fails."""

import re
from dataclasses import dataclass, replace

WAITING = "waiting"  # for the boards before it
OFFERED = "offered"
INSTALLED = "installed"  # and on trial
CONFIRMED = "confirmed"
ROLLED_BACK = "rolled back"
REFUSED = "refused"
FAILED = "failed"  # it has not said a word for too long, or has no key to check with
STOPPED = "stopped"  # a board before it failed

AT_WORK = frozenset({OFFERED, INSTALLED})
OPEN = AT_WORK | {WAITING}
BAD = frozenset({ROLLED_BACK, REFUSED, FAILED})


@dataclass(frozen=True, slots=True)
class UpdateOrder:
    """What a board was last told to run. `number` rises with each offer to a board; `place`: in its roll-out."""

    device: str
    number: int
    rollout: int
    place: int
    version: str
    actor: str
    state: str
    changed_ms: int
    reason: str = ""

    def turned(self, state: str, at_ms: int, reason: str = "") -> "UpdateOrder":
        """The same order, further on."""
        return replace(self, state=state, changed_ms=at_ms, reason=reason)


def is_newer(version: str, than: str) -> bool:
    """Whether a version comes after another: by its numbers, from left to right."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(digits[:9]) for digits in re.findall("[0-9]+", version))
