# The topic tree: which leaf a device publishes or reads, and which seal belongs to it.

BASE = "doorward"

ACCESS_REQUEST = "access/request"
ACCESS_RESPONSE = "access/response"
TIME_REQUEST = "time/request"
TIME_RESPONSE = "time/response"
SENSORS = "telemetry/sensors"
METRICS = "telemetry/metrics"
EVENTS = "telemetry/events"
EVENTS_ACK = "telemetry/ack"
CONTROL = "commands/control"
CACHE = "commands/config"
FIRMWARE = "commands/firmware"
COMMANDS_ACK = "commands/ack"
CONFIG = "config"
HEARTBEAT = "status/heartbeat"
ONLINE = "status/online"
OFFLINE = "status/offline"
REPORTED = "status/reported"
DENIED = "status/denied"

UP = (
    ACCESS_REQUEST,
    TIME_REQUEST,
    SENSORS,
    METRICS,
    EVENTS,
    COMMANDS_ACK,
    HEARTBEAT,
    ONLINE,
    OFFLINE,
    REPORTED,
)
DOWN = (ACCESS_RESPONSE, TIME_RESPONSE, EVENTS_ACK, CONTROL, CACHE, FIRMWARE, CONFIG, DENIED)

# Calls and their answers: worthless a second later, so no broker keeps them for who is away.
NOT_QUEUED = (ACCESS_REQUEST, ACCESS_RESPONSE, TIME_REQUEST, TIME_RESPONSE)

# What may be retained is the exception; a retained command is an accident waiting for a reboot.
MAY_BE_RETAINED = (CONFIG, ONLINE, OFFLINE, REPORTED)

# The seal's label follows from where a payload arrived and the kind of its freshness word,
# never from what the payload says about itself.
_LABELS = {
    (ACCESS_REQUEST, "n"): "up.request",
    (TIME_REQUEST, "n"): "up.request",
    (EVENTS, "e"): "up.event",
    (COMMANDS_ACK, "s"): "up.ack",
    (ONLINE, "s"): "up.hello",
    (REPORTED, "s"): "up.state",
    (HEARTBEAT, "s"): "up.state",
    (METRICS, "s"): "up.state",
    (SENSORS, "s"): "up.state",
    (ACCESS_RESPONSE, "n"): "down.answer",
    (TIME_RESPONSE, "n"): "down.time",
    (EVENTS_ACK, "s"): "down.ack",
    (CONTROL, "n"): "down.release",
    (CONTROL, "s"): "down.control",
    (CONFIG, "c"): "down.config",
    (CACHE, "c"): "down.cache",
    (FIRMWARE, "c"): "down.firmware",
}

_ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_MAX_TOPIC = 65535


def label(suffix: str, kind: str) -> "str | None":
    # The seal label for a payload on this leaf with this kind of freshness; None: not allowed.
    return _LABELS.get((suffix, kind))


def is_id(text: str) -> bool:
    # A device id: 1 to 32 of A-Z a-z 0-9 _ -
    if not 0 < len(text) <= 32:
        return False
    for character in text:
        if character not in _ID:
            return False
    return True


def device_topic(base: str, device: str, suffix: str) -> str:
    return base + "/devices/" + device + "/" + suffix


def parse(base: str, topic: str) -> "tuple[str, str] | None":
    # "doorward/devices/front/access/request" -> ("front", "access/request"); None if elsewhere.
    head = base + "/devices/"
    if not topic.startswith(head):
        return None
    rest = topic[len(head) :]
    cut = rest.find("/")
    if cut < 1 or not is_id(rest[:cut]):
        return None
    return rest[:cut], rest[cut + 1 :]


def may_be_retained(suffix: str) -> bool:
    return suffix in MAY_BE_RETAINED


def valid_topic(topic: str) -> bool:
    # A topic name that may be published to (MQTT 3.1.1, 4.7).
    if not _valid_text(topic):
        return False
    return "+" not in topic and "#" not in topic


def valid_filter(text: str) -> bool:
    # A topic filter that may be subscribed to (MQTT 3.1.1, 4.7.1).
    if not _valid_text(text):
        return False
    levels = text.split("/")
    last = len(levels) - 1
    for index in range(len(levels)):
        level = levels[index]
        if "#" in level and (level != "#" or index != last):
            return False
        if "+" in level and level != "+":
            return False
    return True


def _valid_text(text: str) -> bool:
    return bool(text) and "\0" not in text and len(text.encode()) <= _MAX_TOPIC


def matches(pattern: str, topic: str) -> bool:
    # True if a subscription to pattern receives topic. Wildcards never match a leading $.
    if topic[:1] == "$" and pattern[:1] in "+#":
        return False
    wanted = pattern.split("/")
    given = topic.split("/")
    for index in range(len(wanted)):
        if wanted[index] == "#":
            return True
        if index >= len(given):
            return False
        if wanted[index] != "+" and wanted[index] != given[index]:
            return False
    return len(wanted) == len(given)
