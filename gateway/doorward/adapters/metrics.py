"""Figures in Prometheus' text format, each time as they are at that moment."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from doorward.app.figures import Distribution, Figure

Read = Callable[[], Iterable[Figure | Distribution]]


class Exposition(Collector):
    """Asks `read` whenever it is asked. The registry is its own: nothing of the process beside it is told."""

    def __init__(self, read: Read) -> None:
        """Nothing is read before it is asked."""
        self._read = read
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """As the library asks."""
        for figure in self._read():
            yield _family(figure)


def _family(figure: Figure | Distribution) -> Metric:
    if isinstance(figure, Distribution):
        buckets = [(_bound(bound), count) for bound, count in figure.buckets]
        return HistogramMetricFamily(
            figure.name, figure.meaning, buckets=buckets, sum_value=figure.total
        )
    names = [name for name, _ in next(iter(figure.values), ())]
    kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
    family = kind(figure.name, figure.meaning, labels=names)
    for labels, value in figure.values.items():
        family.add_metric([text for _, text in labels], value)
    return family


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else str(bound)
