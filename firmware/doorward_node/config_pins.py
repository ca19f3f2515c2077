# The parts of a board as its config names them: each is checked by its driver's own fields.

from doorward_node.config import ConfigError

# part, or part and what chooses between its kinds: its fields. One text: the words of a dict would be names,
# which stay on the heap when this module is forgotten. A bare name is a pin, "name?" may be
# absent, "name:least-most" is a number, "name~least-most" one with a fraction, "name=" a text,
# "name*" a list of pins, and "name/a/b" one of these words.
_FIELDS = """
strike: pin active:0-1 fail?/secure/safe
contact: pin closed:0-1 pull?/up/down/none
rex: pin active:0-1 pull?/up/down/none
tamper: pin active:0-1 pull?/up/down/none
button: pin active:0-1 pull?/up/down/none
pir: pin active:0-1 warm_s:0-300 hold_s:1-3600 pull?/up/down/none
battery: pin ratio~1-20
buzzer: pin active?:0-1 hz?:100-10000
led: r? g? b? active:0-1
lamp: pin active:0-1 hz:100-40000 least:0-20000
lamp warm: warm cool warm_k:1000-20000 cool_k:1000-20000 active:0-1 hz:100-40000 least:0-20000
reader mfrc522: spi:0-3 sck mosi miso cs rst?
reader pn532 spi: spi:0-3 sck mosi miso cs irq? rst?
reader pn532 i2c: i2c:0-1 sda scl irq? rst?
reader wiegand: d0 d1
keypad matrix: rows* cols* keys=
keypad wiegand: d0 d1
padlock servo: pin locked_us:500-2500 unlocked_us:500-2500 move_ms:100-3000
padlock solenoid: pin active:0-1 pulse_ms:100-3000
"""
_SWITCH = "pin locked:0-1 pull?/up/down/none"
_PIN = (0, 63)
_WITH_DRIVER = ("reader", "keypad", "padlock")


def _fields_of(kind):
    # None for a kind that there is not.
    head = "\n" + kind + ": "
    at = _FIELDS.find(head)
    if at < 0 or "\n" in kind:
        return None
    at += len(head)
    return _FIELDS[at : _FIELDS.find("\n", at)]


def check(pins) -> None:
    # pins: by part. Raises ConfigError, which names the field.
    if not isinstance(pins, dict):
        raise ConfigError("pins: need the board's parts")
    for part in pins:
        fields = pins[part]
        path = "pins." + part
        if not isinstance(fields, dict):
            raise ConfigError(path + ": need the part's fields")
        _check_fields(path, fields, _fields_of(_kind(path, part, fields)))
        if part == "padlock" and "switch" in fields:
            path = f"pins.{part}.switch"
            if not isinstance(fields["switch"], dict):
                raise ConfigError(path + ": need pin and locked")
            _check_fields(path, fields["switch"], _SWITCH)


def _kind(path, part, fields):
    if part == "lamp" and "warm" in fields:
        return part + " " + "warm"
    if part not in _WITH_DRIVER:
        return part
    driver = fields.get("driver")
    if driver is None and part == "reader":
        driver = "mfrc522"  # as in the files of boards that were put up before there was another
    kind = part + " " + str(driver)
    if driver == "pn532":
        kind += " " + str(fields.get("bus"))
    if _fields_of(kind) is None:
        field = "bus" if driver == "pn532" else "driver"
        known = kind[len(part) + 1 :]
        raise ConfigError(f"{path}.{field}: this firmware has none called {known}")
    return kind


def _check_fields(path, fields, words) -> None:
    if words is None:
        raise ConfigError(path + ": this firmware has no such part")
    for word in words.split():
        for sign in ":~=*/":
            if sign in word:
                break
        else:
            sign = ""
        name = word.split(sign)[0] if sign else word
        limits = word[len(name) + 1 :]
        field = name.rstrip("?")
        value = fields.get(field)
        if field == name or value is not None:
            _check_field(path + "." + field, value, sign, limits)


def _check_field(path, value, sign, limits) -> None:
    if sign == "/":
        if value not in limits.split("/"):
            raise ConfigError(path + ": need " + limits.replace("/", " or "))
    elif sign == "=":
        if not isinstance(value, str) or not value:
            raise ConfigError(path + ": need a text")
    elif sign == "*":
        if not isinstance(value, list) or not 1 <= len(value) <= 8:
            raise ConfigError(path + ": need one to eight pins")
        for pin in value:
            _check_number(path, pin, _PIN, False)
    else:
        _check_number(path, value, limits.split("-") if limits else _PIN, sign == "~")


def _check_number(path, value, limits, fraction) -> None:
    low, high = limits
    whole = isinstance(value, int) and not isinstance(value, bool)  # True is an int, too
    if not (whole or (fraction and isinstance(value, float))) or not int(low) <= value <= int(high):
        kind = "number" if fraction else "whole number"
        raise ConfigError(f"{path}: need a {kind} from {low} to {high}")
