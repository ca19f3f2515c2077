"""What has been committed to the audit is told: to the live view of its door, and to everybody who listens."""

from collections.abc import Iterable

from doorward.app.access.doors import DoorStates
from doorward.app.feed import LiveFeed
from doorward.app.views.audit import entry
from doorward.domain.audit import AuditRow


class Announcer:
    """Tells new audit rows. Call it after the commit, never before."""

    def __init__(self, states: DoorStates, feed: LiveFeed) -> None:
        self._states = states
        self._feed = feed

    def announce(self, rows: Iterable[AuditRow] | None) -> None:
        """Tell these rows, in order."""
        for row in rows or ():
            told = entry(row)
            self._feed.publish("event", told)
            self._states.last(told)
