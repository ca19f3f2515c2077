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
CANCELLED = "cancelled"  # by somebody

AT_WORK = frozenset({OFFERED, INSTALLED})
OPEN = AT_WORK | {WAITING}
RECALLABLE = frozenset({WAITING, OFFERED})
BAD = frozenset({ROLLED_BACK, REFUSED, FAILED})
# A board that was given up, or called back too late, may still say what became of it.
TELLS = OPEN | {FAILED, CANCELLED}

OFFER_S = 24 * 3600  # how long a board may take up an offer, or fetch what it names


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

    @property
    def until(self) -> int:
        """When the offer ends, if it is one: UTC seconds."""
        return self.changed_ms // 1000 + OFFER_S

    def turned(self, state: str, at_ms: int, reason: str = "") -> "UpdateOrder":
        """The same order, further on."""
        return replace(self, state=state, changed_ms=at_ms, reason=reason)


# A board's word for why it did not take a firmware.
_MEANINGS = {
    "key": "it has no key to check signatures with",
    "signature": "it is not signed by the key that this board trusts",
    "epoch": "it is of an epoch that is over for this board",
    "family": "it is for another kind of board",
    "mpy": "it is for another MicroPython",
    "manifest": "its list of files is damaged",
    "digest": "a file did not arrive as it was signed",
    "flash": "its flash is full or fails",
    "memory": "it has not enough memory free; restart it, and try again",
}


def meaning(reason: str) -> str:
    """The reason of an order, for people; also one that names another board first."""
    board, colon, word = reason.rpartition(": ")
    return board + colon + _MEANINGS.get(word, word)


def is_newer(version: str, than: str) -> bool:
    """Whether a version comes after another: by its numbers, from left to right."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(digits[:9]) for digits in re.findall("[0-9]+", version))
