"""The gateway is the boards' clock: UTC, how far local time is ahead, and when that will change."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from doorward.app.messages.fleet import Fleet
from doorward.app.messages.router import Opened
from doorward.app.ports import Clock
from doorward.errors import Rejected
from doorward_core import gateway_messages, seal, topics

_HORIZON_DAYS = 400


class Offsets(NamedTuple):
    """Minutes ahead of UTC, now and after the next change (UTC seconds; 0: none in sight)."""

    offset: int
    next_change: int
    next_offset: int


def offsets(zone: tzinfo, now: datetime) -> Offsets:
    """Ask the time zone database about the next year or so."""
    offset = _offset(zone, now)
    for day in range(1, _HORIZON_DAYS):
        later = now + timedelta(days=day)
        if _offset(zone, later) != offset:
            change = _between(
                zone, int((later - timedelta(days=1)).timestamp()), int(later.timestamp())
            )
            return Offsets(offset, change, _offset(zone, datetime.fromtimestamp(change, UTC)))
    return Offsets(offset, 0, offset)


def _between(zone: tzinfo, before: int, after: int) -> int:
    """The first second with the new offset, by halving."""
    old = _offset(zone, datetime.fromtimestamp(before, UTC))
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: tzinfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds() / 60)


class TimeServer:
    """Answers `time/request`. An answer is bound to its nonce, so it cannot be kept for later."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._known: tuple[datetime, Offsets] | None = None

    def request(self, opened: Opened) -> None:
        """Tell a board the time."""
        device, message, _, (_, nonce, _) = opened
        if message.repeated or message.retained or not isinstance(nonce, bytes):
            raise Rejected("a call that came again")
        device.burn_nonce(nonce)
        now = self._clock.now()
        answer = gateway_messages.time_answer(round(now.timestamp()), *self._offsets(now))
        self._fleet.say(device.id, topics.TIME_RESPONSE, seal.nonce_word(nonce), answer)
        message.ack()

    def _offsets(self, now: datetime) -> Offsets:
        # Once an hour is enough: the search takes a millisecond, and thirty boards ask at once.
        if self._known is None or not timedelta() <= now - self._known[0] < timedelta(hours=1):
            self._known = now, offsets(self._clock.zone, now)
        known = self._known[1]
        if known.next_change and known.next_change <= now.timestamp():
            known = offsets(self._clock.zone, now)
            self._known = now, known
        return known
