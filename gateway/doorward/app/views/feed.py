"""What happens, as whoever listens is told of it."""

from dataclasses import dataclass
from typing import Literal

from doorward.app.views.access import DoorView, Release
from doorward.app.views.audit import AuditEntry
from doorward.app.views.boards import SelfTest, UpdateView
from doorward.app.views.broker import BrokerEntry
from doorward.app.views.fixtures import LightView, MotionView

FeedKind = Literal["event", "door", "release", "broker", "update", "fixture", "selftest"]
# What an item tells, by its kind.
FeedData = (
    AuditEntry | DoorView | Release | BrokerEntry | UpdateView | LightView | MotionView | SelfTest
)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One thing that happened, numbered without gaps since the gateway started."""

    id: int
    kind: FeedKind
    data: FeedData
