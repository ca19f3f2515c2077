"""Lines that a board only listens to: buttons, switches, sensors, Wiegand, and the keypad."""

from collections.abc import Callable

from doorward.domain.diagnosis.findings import Finding, Readings, Rule, number
from doorward.domain.wiring import Wiring


def _always(readings: Readings, wiring: Wiring, part: str) -> bool:
    """Whether a part's line was at its active level at every look."""
    inputs = readings.get("inputs", {})
    looks, high = number(inputs, "of"), number(inputs, f"{part}.pin")
    active = wiring.parts.get(part, {}).get("active")
    if not looks or high is None or active not in (0, 1):
        return False
    return high == (looks if active else 0)


def _switch(part: str, code: str, what: str, remedy: str) -> Rule:
    """A switch or sensor that is on all the time. remedy may name its terminal and the rail of its active level."""
    field = f"{part}.pin"

    def look(readings: Readings, wiring: Wiring) -> Finding | None:
        if not _always(readings, wiring, part):
            return None
        rail = "3.3 V" if wiring.parts[part]["active"] else "GND"
        return Finding(code, what, remedy.format(at=wiring.at(field), rail=rail), (field,))

    return Rule(code, look)


def _wiegand(name: str) -> Callable[[Readings, Wiring], Finding | None]:
    def look(readings: Readings, wiring: Wiring) -> Finding | None:
        inputs = readings.get("inputs", {})
        looks = number(inputs, "of")
        for part in ("reader", "keypad"):
            field = f"{part}.{name}"
            high = number(inputs, field)
            if looks and high is not None and high * 2 < looks:
                return Finding(
                    f"wiegand.{name}",
                    f"{wiring.name(field)} is low while nothing is read; it rests high",
                    f"the reader has no power, or {wiring.at(field)} touches GND; check its supply, then that wire",
                    (field,),
                )
        return None

    return look


def _masks(readings: Readings) -> list[int]:
    """The columns that are low all the time, for each row, and at last for none."""
    masks = readings.get("inputs", {}).get("keypad")
    if not isinstance(masks, list) or not all(isinstance(mask, int) for mask in masks):
        return []
    return masks


def _column(readings: Readings, wiring: Wiring) -> Finding | None:
    masks = _masks(readings)
    if not masks or not masks[-1]:
        return None
    field = f"keypad.cols[{_lowest(masks[-1])}]"
    return Finding(
        "keypad.column",
        f"{_named(wiring, field)} of the keypad is low though no row is",
        f"the wire of {wiring.at(field)} touches GND; free it",
        (field,),
    )


def _key(readings: Readings, wiring: Wiring) -> Finding | None:
    masks = _masks(readings)
    pressed_in = [mask & ~masks[-1] for mask in masks[:-1]]
    row = next((row for row, pressed in enumerate(pressed_in) if pressed), None)
    if row is None:
        return None
    column = _lowest(pressed_in[row])
    fields = f"keypad.rows[{row}]", f"keypad.cols[{column}]"
    keys = wiring.parts.get("keypad", {}).get("keys", "")
    place = row * len(wiring.parts.get("keypad", {}).get("cols", ())) + column
    key = f"The key {keys[place]}" if place < len(keys) else "A key"
    return Finding(
        "keypad.key",
        f"{key} is pressed for two seconds and more",
        f"it sticks, or {wiring.at(fields[0])} touches {wiring.at(fields[1])}; free them",
        fields,
    )


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _named(wiring: Wiring, field: str) -> str:
    name = wiring.name(field)
    return name[:1].upper() + name[1:]


RULES = (
    Rule("wiegand.d0", _wiegand("d0")),
    Rule("wiegand.d1", _wiegand("d1")),
    Rule("keypad.column", _column),
    Rule("keypad.key", _key),
    _switch(
        "rex",
        "rex.pressed",
        "The exit button is pressed all the time",
        "if nobody presses it, the wire of {at} touches {rail}, or the button is one that rests closed; free it",
    ),
    _switch(
        "button",
        "button.pressed",
        "The lamp's button is pressed all the time",
        "if nobody presses it, the wire of {at} touches {rail}, or the button is one that rests closed; free it",
    ),
    _switch(
        "tamper",
        "tamper.open",
        "The lid switch says that the lid is off",
        "close the lid; if it is closed, a wire of the switch is off or wrong; check {at} first",
    ),
    _switch(
        "pir",
        "pir.stuck",
        "The motion sensor sees somebody all the time",
        "leave the room and test again; if it still does, its OUT ({at}) touches {rail}, or it has no GND",
    ),
)
