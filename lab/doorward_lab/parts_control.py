"""What the control socket does to buttons, keys, sensors and bolts, and what it tells of lamps (see control.py)."""

from collections.abc import Awaitable, Callable
from typing import Any

from doorward_lab import faults
from doorward_lab.air import Air
from doorward_lab.board import Board
from doorward_lab.errors import SiteError
from doorward_lab.fields import duration_ms, field

_PRESS_MS = 400
_KEY_MS = 120
_MOST_KEYS = 32
_BUTTONS = ("rex", "tamper", "button")


class PartOperations:
    """`operations` by their names; board: finds the board that a request names."""

    def __init__(self, board: Callable[[dict[str, Any]], Board]) -> None:
        """Nothing is done yet."""
        self._board = board
        self.operations: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "press": self._press,
            "motion": self._motion,
            "key": self._key,
            "jam": self._jam,
            "pwm": self._pwm,
            "wifi": self._wifi,
            "pull": self._pull,
            "fault": self._fault,
            "faults": self._faults,
        }

    async def _pull(self, request: dict[str, Any]) -> dict[str, Any]:
        board = self._board(request)
        return {"at_ns": board.pull(is_pulled=field(request, "on", bool)), "clicks": board.clicks}

    async def _fault(self, request: dict[str, Any]) -> dict[str, Any]:
        board, name = self._board(request), field(request, "fault", str)
        return {"at_ns": board.set_fault(name, on=field(request, "on", bool))}

    async def _faults(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"faults": faults.described()}

    async def _press(self, request: dict[str, Any]) -> dict[str, Any]:
        part = field(request, "part", str)
        if part not in _BUTTONS:
            raise SiteError(f"part is {part!r}; give one of {', '.join(_BUTTONS)}")
        hold_ms = duration_ms(request, "hold_ms", _PRESS_MS)
        return {"at_ns": await self._board(request).press(part, hold_ms=hold_ms)}

    async def _motion(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"at_ns": self._board(request).set_switch("pir", field(request, "on", bool))}

    async def _key(self, request: dict[str, Any]) -> dict[str, Any]:
        keys = (
            str(request["keys"]) if "keys" in request else ""
        )  # a client may take 1234 for a number
        if not 0 < len(keys) <= _MOST_KEYS:
            raise SiteError(f"keys is {keys!r}; give 1 to {_MOST_KEYS} keys, as in 1234#")
        hold_ms = duration_ms(request, "hold_ms", _KEY_MS)
        return {"at_ns": await self._board(request).type_keys(keys, hold_ms=hold_ms)}

    async def _jam(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"at_ns": self._board(request).set_jam(field(request, "on", bool))}

    async def _wifi(self, request: dict[str, Any]) -> dict[str, Any]:
        airs = {air.name.lower(): air for air in Air}
        word = field(request, "air", str)
        if word not in airs:
            raise SiteError(f"air is {word!r}; give one of {', '.join(airs)}")
        return {"at_ns": self._board(request).set_wifi(airs[word])}

    async def _pwm(self, request: dict[str, Any]) -> dict[str, Any]:
        now = {}
        for duty in self._board(request).duties:
            now[str(duty.pin)] = {"hz": duty.hz, "duty": duty.duty, "at_ns": duty.at_ns}
        return {"pwm": now}
