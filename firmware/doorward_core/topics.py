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
