"""How fast one principal may publish and ask. It is asked once a read, not once a message."""

import logging
from collections.abc import Callable, Sequence

from doorward.broker.identity.principals import Principal, Role
from doorward.broker.limits import Limits
from doorward.broker.ports import Packet
from doorward.broker.reports.throttle import Throttle
from doorward_core import mqtt

_log = logging.getLogger(__name__)

_OF_FILTERS = frozenset({mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE})
_CHARGED = _OF_FILTERS | {mqtt.PUBLISH, mqtt.PINGREQ}
_RELEASES_A_MESSAGE = (
    8  # PUBREL: it costs no more than a look, unless many are said that release nothing
)
_FILTERS_A_MESSAGE = 256  # bytes: as many filters as take as long as a message
_BURST_S = 2.0  # how many seconds' worth may come at once


class _Bucket:
    """Fills with time up to a burst, and may be overdrawn by one read."""

    __slots__ = ("_left", "_rate", "_since")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._left = rate * _BURST_S
        self._since = now

    def is_empty(self, now: float) -> bool:
        self._left = min(self._left + (now - self._since) * self._rate, self._rate * _BURST_S)
        self._since = now
        return self._rate > 0 and self._left <= 0

    def take(self, count: float) -> None:
        self._left -= count


class Allowance:
    """What one principal may publish, over all its connections."""

    __slots__ = ("_clock", "_messages", "_payload")

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        """Start with a burst."""
        self._clock = clock
        self._messages = _Bucket(limits.publish_rate, clock())
        self._payload = _Bucket(limits.publish_bytes, clock())

    def takes(self, packets: Sequence[Packet]) -> bool:
        """Charge for the requests among `packets`; False, and nothing is charged, when too many came before."""
        messages = size = filters = releases = 0
        for kind, _, body in packets:
            if kind in _CHARGED:
                messages += 1
                size += len(body)
                if kind in _OF_FILTERS:
                    filters += len(body)
            elif kind == mqtt.PUBREL:
                releases += 1
        if not messages and not releases:
            return True
        now = self._clock()
        # Both are looked at: each has to be filled up to now.
        empty = self._messages.is_empty(now), self._payload.is_empty(now)
        if any(empty):
            return False
        self._messages.take(
            messages + filters // _FILTERS_A_MESSAGE + releases / _RELEASES_A_MESSAGE
        )
        self._payload.take(size)
        return True


class Rates:
    """The allowances of all principals. They outlive connections and sessions: coming back fills nothing up."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        """Start with a burst for everybody."""
        self._limits = limits
        self._clock = clock
        self._bound = limits.publish_rate > 0 or limits.publish_bytes > 0
        self._allowances: dict[str, Allowance] = {}
        self._telling = Throttle(1, clock)
        self.held = 0  # how often somebody was made to wait

    def of(self, principal: Principal) -> Allowance | None:
        """None for who may publish as fast as it can."""
        if not self._bound or principal.role is Role.GATEWAY:
            return None
        allowance = self._allowances.get(principal.name)
        if allowance is None:
            allowance = self._allowances[principal.name] = Allowance(self._limits, self._clock)
        return allowance

    def hold(self, principal: Principal) -> None:
        """Count that a principal has to wait, and say so now and then."""
        self.held += 1
        unsaid = self._telling.passes(principal.name)
        if unsaid is not None:
            _log.warning(
                "%s publishes too fast and is made to wait, %d times before", principal.name, unsaid
            )
