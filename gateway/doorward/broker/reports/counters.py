"""What the broker counts. Packets are counted by their first byte: it tells type, QoS and flags in one step."""

import bisect
import math
from dataclasses import dataclass, field

from doorward_core import mqtt

_BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, math.inf)


@dataclass(slots=True)
class Timing:
    """How long something took, in seconds, by size."""

    counts: list[int] = field(default_factory=lambda: [0] * len(_BOUNDS))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect.bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> tuple[tuple[float, int], ...]:
        """(bound, how many took at most that long)."""
        sums = [sum(self.counts[: index + 1]) for index in range(len(_BOUNDS))]
        return tuple(zip(_BOUNDS, sums, strict=True))


@dataclass(slots=True)
class Counters:
    """Since the start. `received` and `sent` have one place for each first byte of a packet."""

    received: list[int] = field(default_factory=lambda: [0] * 256)
    sent: list[int] = field(default_factory=lambda: [0] * 256)
    bytes_received: int = 0
    bytes_sent: int = 0
    connects: int = 0  # clients that were let in
    refused: int = 0  # CONNECTs that were answered with another code than 0 ...
    logins_failed: int = 0  # ... because user name or secret was wrong
    most_connections: int = 0


def publishes(counts: list[int]) -> tuple[int, int, int]:
    """How many of these packets were PUBLISH, by QoS."""
    heads = range(mqtt.PUBLISH << 4, mqtt.PUBLISH + 1 << 4)
    by_qos = [sum(counts[head] for head in heads if head >> 1 & 3 == qos) for qos in range(3)]
    return by_qos[0], by_qos[1], by_qos[2]
