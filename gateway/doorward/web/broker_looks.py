"""How the broker's log looks: an action becomes a word, an icon and a tone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from doorward.app.views.broker import BrokerEntry


@dataclass(frozen=True, slots=True)
class EntryLook:
    """One line of the log."""

    word: str
    icon: str
    tone: str
    who: str
    text: str


_WORDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "CONNECT": ("Connected", "online", "good"),
        "DISCONNECT": ("Left", "leave", "calm"),
        "PUBLISH": ("Published", "note", "calm"),
        "SUBSCRIBE": ("Subscribed", "hand", "info"),
        "UNSUBSCRIBE": ("Unsubscribed", "hand", "calm"),
        "DENIED": ("Denied", "denied", "bad"),
        "REFUSED": ("Not let in", "alert", "warn"),
        "CHANGED": ("Changed", "key", "info"),
    }
)
ACTIONS = tuple(_WORDS)

FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "connections": "connected",
        "sessions": "sessions",
        "retained": "retained",
        "unsettled": "on their way",
        "dropped": "dropped",
        "denied": "denied",
        "users": "users",
        "rules": "rules",
    }
)
"""The counters that the page shows, and what it calls them."""


def broker_look(entry: BrokerEntry) -> EntryLook:
    """How a line reads."""
    word, icon, tone = _WORDS.get(entry.action, (entry.action.capitalize(), "note", "calm"))
    who = entry.principal or "Somebody unknown"
    if entry.client and entry.client != entry.principal:
        who += f" · {entry.client}"
    text = entry.detail
    if entry.action == "PUBLISH" and entry.size is not None:
        text = f"QoS {entry.qos}, {entry.size} bytes" + (f", {text}" if text else "")
    if entry.action == "SUBSCRIBE" and entry.qos is not None:
        text = f"QoS {entry.qos}"
    if entry.more:
        text = f"{text + ', ' if text else ''}and {entry.more:,} more"
    return EntryLook(word, icon, tone, who, text)


def can_be_granted(entry: BrokerEntry, users: Sequence[str]) -> str:
    """What a rule would have to be about that lets through what was denied; "" where no rule can."""
    if entry.action != "DENIED" or entry.principal not in users:
        return ""
    asked, _, rule = entry.detail.partition(": ")
    if rule != "not-granted" or not entry.topic:
        return ""
    return {"publish": "publish", "will": "publish", "subscribe": "subscribe"}.get(asked, "")
