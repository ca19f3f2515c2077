# The topic tree: which leaf a device publishes or reads, and which seal belongs to it.

BASE = "doorward"

ACCESS_REQUEST = "access/request"
ACCESS_RESPONSE = "access/response"
TIME_REQUEST = "time/request"
TIME_RESPONSE = "time/response"
EVENTS = "telemetry/events"
EVENTS_ACK = "telemetry/ack"
CONTROL = "commands/control"
CACHE = "commands/config"
FIRMWARE = "commands/firmware"
REKEY = "commands/rekey"
COMMANDS_ACK = "commands/ack"
CONFIG = "config"
HEARTBEAT = "status/heartbeat"
ONLINE = "status/online"
OFFLINE = "status/offline"
REPORTED = "status/reported"
DENIED = "status/denied"
# Before a board is approved: {base}/discovery/register/{id} and its answer.
REGISTER = "discovery/register"
REGISTERED = "discovery/response"

# What a board says on ACCESS_RESPONSE while it looks at itself, to see that it is refused.
PROBE = b"selftest"

# The seal's label follows from where a payload arrived and the kind of its freshness word,
# never from what the payload says about itself.
#
# leaf, kind of freshness, label: one text, because a dict of tuples would be ten times as large.
_LABELS = """
access/request n up.request
time/request n up.request
telemetry/events e up.event
commands/ack s up.ack
status/online s up.hello
status/reported s up.state
status/heartbeat s up.state
telemetry/metrics s up.state
telemetry/sensors s up.state
access/response n down.answer
time/response n down.time
telemetry/ack s down.ack
commands/control n down.release
commands/control s down.control
config c down.config
commands/config c down.cache
commands/firmware c down.firmware
commands/rekey n down.rekey
discovery/register s up.discovery
discovery/response s down.discovery
"""

_ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def label(suffix: str, kind: str) -> "str | None":
    # The seal label for a payload on this leaf with this kind of freshness; None: not allowed.
    row = "\n" + suffix + " " + kind + " "
    at = _LABELS.find(row)
    if at < 0 or row.count(" ") != 2:
        return None
    at += len(row)
    return _LABELS[at : _LABELS.find("\n", at)]


def is_id(text: str) -> bool:
    # A device id: 1 to 32 of A-Z a-z 0-9 _ -
    if not 0 < len(text) <= 32:
        return False
    for character in text:
        if character not in _ID:
            return False
    return True


def device_topic(base: str, device: str, suffix: str) -> str:
    if suffix[:10] == "discovery/":
        return base + "/" + suffix + "/" + device
    return base + "/devices/" + device + "/" + suffix
