# Levels of everything that the board only listens to, for two seconds, and what its keypad says.
# A part of selftest.py.

from doorward_core.compat import const
from machine import Pin

_SAMPLES = const(80)
_LINES = (
    ("contact", "pin"),
    ("rex", "pin"),
    ("tamper", "pin"),
    ("pir", "pin"),
    ("button", "pin"),
    ("padlock", "switch"),
    ("reader", "d0"),
    ("reader", "d1"),
    ("keypad", "d0"),
    ("keypad", "d1"),
)


async def look(report, _parameters):
    pins = report.pins()
    lines = {}
    for part, field in _LINES:
        number = pins.get(part, {}).get(field)
        if isinstance(number, dict):
            number = number["pin"]
        if number is not None:
            lines[part + "." + field] = [_input(number), 0]
    keypad = pins.get("keypad", {})
    del pins
    down = None
    for _ in range(_SAMPLES):
        for line in lines.values():
            line[1] += line[0]()
        if "rows" in keypad:
            seen = _scan(keypad)
            # Nobody holds a key down for all that time.
            down = seen if down is None else [seen[i] & down[i] for i in range(len(seen))]
        await report.turn()
    # How often each was high, of so many looks.
    data: "dict[str, object]" = {"of": _SAMPLES}
    for name in lines:
        data[name] = lines[name][1]
    if down is not None:
        data["keypad"] = down
    report.say("inputs", data)


def _input(number):
    # The driver has made it an input already; what nobody listens to yet is made one here.
    return Pin(number, Pin.IN)


def _scan(keypad):
    # One mask of the columns that are low for each row that is pulled low, and one for none.
    rows = [Pin(number) for number in keypad["rows"]]
    columns = [Pin(number) for number in keypad["cols"]]
    found = []
    for row in rows + [None]:
        if row:
            row(0)
        mask = 0
        for place, column in enumerate(columns):
            if not column():
                mask |= 1 << place
        if row:
            row(1)
        found.append(mask)
    return found
