# The parts of a board as its config names them: each is checked by its driver's own fields.

from doorward_node.config import ConfigError

# part, or part and driver (and bus): its fields. A bare name is a pin; "?" may be absent; "*" is a
# list of pins; ":least-most" is a number, "~least-most" one with a fraction; "=" is a text, "/a/b"
# is one of these, or absent.
_FIELDS = {
    "strike": "pin active:0-1 fail/secure/safe",
    "contact": "pin closed:0-1 pull/up/down/none",
    "rex": "pin active:0-1 pull/up/down/none",
    "tamper": "pin active:0-1 pull/up/down/none",
    "pir": "pin active:0-1",
    "battery": "pin ratio~1-20",
    "buzzer": "pin",
    "led": "pin active:0-1",
    "lamp": "gamma~1-3 hz:100-40000",
    "reader mfrc522": "spi:0-3 sck mosi miso cs rst?",
    "reader pn532 spi": "spi:0-3 sck mosi miso cs irq rst?",
    "reader pn532 i2c": "i2c:0-1 sda scl irq rst?",
    "reader wiegand": "d0 d1",
    "keypad matrix": "rows* columns* keys=",
    "keypad wiegand": "d0 d1",
    "padlock servo": "pin locked_us:500-2500 open_us:500-2500 switch closed:0-1",
    "padlock solenoid": "pin active:0-1 cap_s:1-10 switch closed:0-1",
}
_CHANNEL = "pin kelvin:1000-20000"
_WITH_DRIVER = ("reader", "keypad", "padlock")


def check(pins) -> None:
    # pins: by part. Raises ConfigError, which names the field.
    if not isinstance(pins, dict):
        raise ConfigError("pins: need the board's parts")
    for part in pins:
        fields = pins[part]
        path = "pins." + part
        if not isinstance(fields, dict):
            raise ConfigError(path + ": need the part's fields")
        _check_fields(path, fields, _FIELDS.get(_kind(path, part, fields)))
        if part == "lamp":
            channels = fields.get("channels")
            if not isinstance(channels, list) or not 1 <= len(channels) <= 2:
                raise ConfigError(path + ".channels: need one or two")
            for i in range(len(channels)):
                _check_fields(path + ".channels." + str(i), channels[i], _CHANNEL)


def _kind(path, part, fields):
    if part not in _WITH_DRIVER:
        return part
    driver = fields.get("driver")
    if driver is None and part == "reader":
        driver = "mfrc522"  # as in the files of boards that were put up before there was another
    kind = part + " " + str(driver)
    if driver == "pn532":
        kind += " " + str(fields.get("bus"))
    if kind not in _FIELDS:
        field = ".bus" if driver == "pn532" else ".driver"
        raise ConfigError(path + field + ": this firmware has none called " + kind[len(part) + 1 :])
    return kind


def _check_fields(path, fields, words) -> None:
    if words is None:
        raise ConfigError(path + ": this firmware has no such part")
    if not isinstance(fields, dict):
        raise ConfigError(path + ": need pin and kelvin")
    for word in words.split():
        for sign in "?*=:~/":
            name, found, limits = word.partition(sign)
            if found:
                break
        else:
            sign = ""
        _check_field(path + "." + name, fields.get(name), sign, limits)


def _check_field(path, value, sign, limits) -> None:
    if sign == "?" and value is None:
        return
    if sign == "/":
        if value is not None and value not in limits.split("/"):
            raise ConfigError(path + ": need " + limits.replace("/", " or "))
    elif sign == "=":
        if not isinstance(value, str) or not value:
            raise ConfigError(path + ": need a text")
    elif sign == "*":
        if not isinstance(value, list) or not 1 <= len(value) <= 8:
            raise ConfigError(path + ": need one to eight pins")
        for pin in value:
            _check_number(path, pin, "0-63", False)
    else:
        _check_number(path, value, limits or "0-63", sign == "~")


def _check_number(path, value, limits, fraction) -> None:
    low, _, high = limits.partition("-")
    whole = isinstance(value, int) and not isinstance(value, bool)  # True is an int, too
    if not (whole or (fraction and isinstance(value, float))) or not int(low) <= value <= int(high):
        kind = ": need a number from " if fraction else ": need a whole number from "
        raise ConfigError(path + kind + low + " to " + high)
