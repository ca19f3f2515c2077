# The gateway's half of the conversation: what it reads of what boards say of themselves.

from doorward_core.gateway_messages import name
from doorward_core.messages import MessageError, decode, flag, number, part, text


class Reported:
    # guarded: a card has to be shown twice. state: a vault's own word, "" without one; hold_s: for how
    # long it locks out, None until it is released, or a door's keypad looks at no code. motion: what
    # the sensor says (None while it warms up), "" without one. light: (level in percent, K or None,
    # cause), None without a lamp.
    __slots__ = (
        "lock",
        "contact",
        "alarm",
        "cache_version",
        "firmware",
        "guarded",
        "state",
        "hold_s",
        "motion",
        "light",
    )

    def __init__(
        self,
        lock: "str | None",
        contact: "str | None",
        alarm: "str | None",
        cache_version: int,
        firmware: str,
    ) -> None:
        self.lock = lock
        self.contact = contact
        self.alarm = alarm
        self.cache_version = cache_version
        self.firmware = firmware
        self.guarded = False
        self.state = ""
        self.hold_s: "int | None" = None
        self.motion: "bool | str | None" = ""
        self.light: "tuple[int, int | None, str] | None" = None


def parse_reported(body: bytes) -> Reported:
    fields = decode(body)
    said = Reported(
        _one_of(fields, "lock", ("locked", "unlocked")),
        _one_of(fields, "contact", ("open", "closed")),
        _one_of(fields, "alarm", ("forced", "held")),
        number(fields, "cache_version"),
        name(fields, "firmware"),
    )
    if "guarded" in fields:
        said.guarded = flag(fields, "guarded")
    if "state" in fields:
        said.state = text(fields, "state", 32)
    if fields.get("hold_s") is not None:
        said.hold_s = number(fields, "hold_s", 1, 86400)
    if "motion" in fields:
        said.motion = None if fields["motion"] is None else flag(fields, "motion")
    if "light" in fields:
        light = part(fields, "light")
        kelvin = None if light.get("kelvin") is None else number(light, "kelvin", 1000, 20000)
        said.light = number(light, "level", 0, 100), kelvin, text(light, "cause", 16)
    return said


def _one_of(fields: "dict[str, object]", field: str, allowed: "tuple[str, ...]") -> "str | None":
    if fields.get(field) is None:
        return None
    value = text(fields, field)
    if value not in allowed:
        raise MessageError(field, " or ".join(allowed))
    return value


def parse_battery(body: bytes) -> "int | None":
    # Of a heartbeat: mV, None from a board without a battery.
    fields = decode(body)
    return number(fields, "battery_mv", 0, 1000000) if "battery_mv" in fields else None


def parse_attempts(body: bytes) -> int:
    # Of a vault's metrics: the tries since somebody was let in.
    return number(decode(body), "login_attempts")
