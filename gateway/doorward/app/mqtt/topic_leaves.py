"""Every leaf of the topic tree, as people and programs are told about it. Pure."""

from collections.abc import Iterator

from doorward.app.views.mqtt import Leaf
from doorward_core import topic_tree, topics

_BOARD, _GATEWAY, _READERS = "the board itself", "the gateway", "the gateway; users by a rule"

# leaf, highest QoS, what it is for. Direction and retention are the topic tree's own to say.
_DEVICE = (
    (topics.ACCESS_REQUEST, 1, "a call: may this credential pass?"),
    (topics.ACCESS_RESPONSE, 1, "its answer, worth nothing later"),
    (topics.TIME_REQUEST, 1, "a call: what time is it?"),
    (topics.TIME_RESPONSE, 1, "its answer, bound to the call"),
    (topic_tree.SENSORS, 1, "what its sensors measure"),
    (topic_tree.METRICS, 1, "how it is itself"),
    (topics.EVENTS, 1, "its log, entry by entry, in order"),
    (topics.EVENTS_ACK, 1, "stored up to here: only this frees its log"),
    (topics.CONTROL, 2, "what it is to do; never retained"),
    (topics.CACHE, 2, "pieces of its copy of the rules; never retained"),
    (topics.FIRMWARE, 2, "pieces of its next firmware; never retained"),
    (topics.REKEY, 1, "its next key, under the present one"),
    (topics.COMMANDS_ACK, 1, "what became of a command"),
    (topics.CONFIG, 1, "its settings, and which copy of the rules is the latest"),
    (topics.HEARTBEAT, 0, "it lives"),
    (topics.ONLINE, 1, "its hello after every connect"),
    (topics.OFFLINE, 1, "its will: the connection was lost"),
    (topics.REPORTED, 1, "what it says that it is: lock, contact, firmware"),
    (topics.DENIED, 1, "its publish was refused, and by which rule"),
)
_DISCOVERY = (
    (topics.REGISTER, 1, "a new board announces itself"),
    (topics.REGISTERED, 1, "it is approved, or not"),
)
_SITE = (
    ("fleet/commands/{group}", "a command for a group of boards"),
    ("fleet/status/{group}", "how a group of boards is"),
    ("system/health", "how the gateway is"),
    ("system/metrics", "the gateway in numbers"),
    ("system/alerts", "what somebody should look at"),
    ("monitoring/broker", "the broker in numbers"),
    ("monitoring/clients", "who is connected"),
    ("monitoring/traffic", "how much is said"),
)
FLEET_COMMANDS = "fleet/commands"


def leaves(base: str, device: str = "{id}") -> tuple[Leaf, ...]:
    """All of them, with `device` for the id of a board."""
    return (*_of_boards(base, device), *(_of_site(base, leaf, what) for leaf, what in _SITE))


def of_device(base: str, device: str) -> tuple[Leaf, ...]:
    """The leaves of one board."""
    return tuple(_of_boards(base, device))


def _of_boards(base: str, device: str) -> Iterator[Leaf]:
    for suffix, qos, meaning in (*_DEVICE, *_DISCOVERY):
        up = suffix in topic_tree.UP
        yield Leaf(
            topic=topics.device_topic(base, device, suffix),
            direction="up" if up else "down",
            qos=qos,
            retained=topic_tree.may_be_retained(suffix),
            publisher=_BOARD if up else _publisher(suffix),
            reader=_READERS if up else _BOARD,
            meaning=meaning,
        )


def _publisher(suffix: str) -> str:
    return "the broker" if suffix == topics.DENIED else _GATEWAY


def _of_site(base: str, leaf: str, meaning: str) -> Leaf:
    return Leaf(
        topic=f"{base}/{leaf}",
        direction="site",
        qos=2 if leaf.startswith(FLEET_COMMANDS) else 1,
        retained=False,
        publisher=_GATEWAY,
        reader="users by a rule",
        meaning=meaning,
        used=False,
    )
