"""Codes that people type: how long one has to be, and which nobody should have.

A door's keypad takes at most TRIES wrong codes in thirty days (doorward_core.code_limit; docs/lockout.md has the sums).
So one code of four digits is found by guessing with a chance of two in a hundred, if somebody types day and night for
a month; ten times as many codes want one digit more.
"""

import secrets
from collections.abc import Iterable

from doorward.errors import InvalidInput
from doorward_core import codes

TRIES = 193
_DIGITS = frozenset("0123456789")
_RUN = "01234567890"


def credential(digits: str) -> bytes:
    """What a keypad makes of these digits. Raises InvalidInput, without them, for what is no code."""
    if not codes.SHORTEST <= len(digits) <= codes.LONGEST or not set(digits) <= _DIGITS:
        raise InvalidInput(
            "that is no code",
            f"give {codes.SHORTEST} to {codes.LONGEST} digits",
            field="code",
        )
    return codes.credential(digits)


def parse(digits: str) -> bytes:
    """The credential of a code that somebody is to have. Raises InvalidInput, also for what everybody tries first."""
    found = credential(digits)
    if len(set(digits)) == 1 or digits in _RUN or digits[::-1] in _RUN:
        raise InvalidInput(
            "that code is among the first that anybody tries",
            "choose another, or have one made",
            field="code",
        )
    return found


def length(code: bytes) -> int:
    """How many digits the code of a credential has."""
    return sum(nibble != "f" for nibble in code[1:5].hex())


def may_have(digits: int) -> int:
    """How many codes of so many digits there may be at a site."""
    return int(10 ** (digits - codes.SHORTEST))


def check_length(code: bytes, others: Iterable[bytes]) -> None:
    """Raise InvalidInput when there are too many codes of this length already."""
    digits = length(code)
    if sum(length(other) == digits for other in others) >= may_have(digits):
        raise InvalidInput(
            f"there are as many codes of {digits} digits as can be told from guesses ({may_have(digits)})",
            "give one digit more, or revoke one",
            field="code",
        )


def make(others: Iterable[bytes]) -> str:
    """A new code: six digits, or more where there are many. Raises InvalidInput when there is no room for one."""
    known = frozenset(others)
    for digits in range(6, codes.LONGEST + 1):
        if sum(length(other) == digits for other in known) < may_have(digits):
            break
    else:
        raise InvalidInput("there are too many codes here", "revoke some", field="code")
    while True:
        made = "".join(secrets.choice("0123456789") for _ in range(digits))
        try:
            if parse(made) not in known:
                return made
        except InvalidInput:
            continue
