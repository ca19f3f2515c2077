"""`$SYS/broker/…`: the broker in numbers, under the names that Mosquitto gave them."""

from collections.abc import Callable, Mapping
from math import exp
from typing import Final

from doorward.broker.connections.exchange import Exchange
from doorward.broker.reports.counters import publishes

EVERY_S: Final = 10.0
PREFIX: Final = "$SYS/broker/"

# Averages over so many seconds, by the name of their last level.
_SPANS = {"1min": 60.0, "5min": 300.0, "15min": 900.0}
_LOADS = (
    "messages/received",
    "messages/sent",
    "publish/received",
    "publish/sent",
    "publish/dropped",
    "bytes/received",
    "bytes/sent",
    "connections",
)
_PER_MINUTE = 60.0


class Loads:
    """How much there is to do, a minute, averaged like a machine's load: old seconds count less and less."""

    def __init__(self) -> None:
        """Nothing was measured yet."""
        self._before: dict[str, float] = {}
        self._at: float | None = None
        self._averages: dict[str, float] = {}

    def measure(self, counts: Mapping[str, float], now: float) -> dict[str, float]:
        """Take counters as they are now (monotonic seconds); returns averages by `load/NAME/SPAN`."""
        passed = EVERY_S if self._at is None else max(now - self._at, 0.001)
        for name in _LOADS:
            rate = (counts[name] - self._before.get(name, 0.0)) / passed * _PER_MINUTE
            for span, seconds in _SPANS.items():
                key = f"load/{name}/{span}"
                weight = exp(-passed / seconds)
                self._averages[key] = self._averages.get(key, 0.0) * weight + rate * (1 - weight)
        self._before = {name: counts[name] for name in _LOADS}
        self._at = now
        return dict(self._averages)


def read(exchange: Exchange, up_s: float) -> dict[str, float]:
    """Every figure by its name below PREFIX; what becomes an average too is there again as `load:NAME`."""
    counters, router = exchange.counters, exchange.router
    sessions = tuple(router.sessions.values())
    connected = sum(session.link is not None for session in sessions)
    dropped = router.dropped
    received, sent = sum(counters.received), sum(counters.sent)
    published_in, published_out = sum(publishes(counters.received)), sum(publishes(counters.sent))
    figures: dict[str, float] = {
        "uptime": up_s,
        "clients/total": len(sessions),
        "clients/connected": connected,
        "clients/active": connected,
        "clients/disconnected": len(sessions) - connected,
        "clients/inactive": len(sessions) - connected,
        "clients/maximum": counters.most_connections,
        "messages/received": received,
        "messages/sent": sent,
        "messages/stored": len(router.retained) + sum(session.unsettled for session in sessions),
        "publish/messages/received": published_in,
        "publish/messages/sent": published_out,
        "publish/messages/dropped": dropped,
        "bytes/received": counters.bytes_received,
        "bytes/sent": counters.bytes_sent,
        "retained messages/count": len(router.retained),
        "subscriptions/count": sum(len(session.subscriptions) for session in sessions),
    }
    volume = counters.bytes_received, counters.bytes_sent
    loads = (received, sent, published_in, published_out, dropped, *volume, counters.connects)
    return figures | {f"load:{name}": value for name, value in zip(_LOADS, loads, strict=True)}


class SysTopics:
    """Tells them again every EVERY_S, those that are another than the last time."""

    def __init__(self, version: str, tell: Callable[[str, bytes], None]) -> None:
        """`tell` is given topic and payload."""
        self._version = version
        self._tell = tell
        self._loads = Loads()
        self._told: dict[str, bytes] = {}
        self._due: float | None = None

    def look(self, now: float, read: Callable[[], Mapping[str, float]]) -> None:
        """Tell them if it is time to. `read` gives every figure by its name below the prefix."""
        if self._due is not None and now < self._due:
            return
        self._due = now + EVERY_S
        figures = dict(read())
        loads = self._loads.measure({name: figures.pop(f"load:{name}") for name in _LOADS}, now)
        told = {name: b"%d" % value for name, value in figures.items()}
        told |= {name: f"{value:.2f}".encode() for name, value in loads.items()}
        told["version"] = self._version.encode()
        told["uptime"] = told["uptime"] + b" seconds"
        for name, payload in told.items():
            if self._told.get(name) != payload:
                self._told[name] = payload
                self._tell(PREFIX + name, payload)
