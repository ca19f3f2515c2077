# The topic tree as a whole: directions, what may be kept, names and filters. Not for boards, which
# know their own leaves and nothing else.

from doorward_core import topics
from doorward_core.topics import (
    ACCESS_REQUEST,
    ACCESS_RESPONSE,
    CACHE,
    COMMANDS_ACK,
    CONFIG,
    CONTROL,
    DENIED,
    EVENTS,
    EVENTS_ACK,
    FIRMWARE,
    HEARTBEAT,
    OFFLINE,
    ONLINE,
    REGISTER,
    REGISTERED,
    REKEY,
    REPORTED,
    TIME_REQUEST,
    TIME_RESPONSE,
)

# Leaves that a door has no use for.
SENSORS = "telemetry/sensors"
METRICS = "telemetry/metrics"

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
    REGISTER,
)
DOWN = (
    ACCESS_RESPONSE,
    TIME_RESPONSE,
    EVENTS_ACK,
    CONTROL,
    CACHE,
    FIRMWARE,
    REKEY,
    CONFIG,
    DENIED,
    REGISTERED,
)

# All that a board has before somebody approves it.
WAITING_UP = (REGISTER,)
WAITING_DOWN = (REGISTERED,)

# Calls, their answers and what is sealed to a nonce are worthless seconds later, refusals and
# announcements would let one board fill a disk: no broker keeps them for who is away.
NOT_QUEUED = (
    ACCESS_REQUEST,
    ACCESS_RESPONSE,
    TIME_REQUEST,
    TIME_RESPONSE,
    REKEY,
    DENIED,
    REGISTER,
    REGISTERED,
)

# What may be retained is the exception; a retained command is an accident waiting for a reboot.
MAY_BE_RETAINED = (CONFIG, ONLINE, OFFLINE, REPORTED)

_MAX_TOPIC = 65535


def parse(base: str, topic: str) -> "tuple[str, str] | None":
    # "doorward/devices/front/access/request" -> ("front", "access/request"),
    # "doorward/discovery/register/front" -> ("front", "discovery/register"); None if elsewhere.
    for suffix in WAITING_UP + WAITING_DOWN:
        head = base + "/" + suffix + "/"
        if topic.startswith(head):
            device = topic[len(head) :]
            return (device, suffix) if topics.is_id(device) else None
    head = base + "/devices/"
    if not topic.startswith(head):
        return None
    rest = topic[len(head) :]
    cut = rest.find("/")
    suffix = rest[cut + 1 :]
    # Each leaf has one place: a seal made for one must not be good at another.
    if cut < 1 or not topics.is_id(rest[:cut]) or suffix in WAITING_UP + WAITING_DOWN:
        return None
    return rest[:cut], suffix


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
