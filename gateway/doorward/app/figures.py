"""Figures for whoever watches this installation, by the names that Prometheus is given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, or one for each set of labels. A counter only rises; its name ends in _total."""

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    values: Mapping[Labels, float]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many were at most so large: (bound, how many) with rising bounds, the last of which is infinite."""

    name: str
    meaning: str
    buckets: tuple[tuple[float, int], ...]
    total: float


def counter(name: str, meaning: str, value: float) -> Figure:
    """A counter without labels."""
    return Figure(name, "counter", meaning, {(): value})


def gauge(name: str, meaning: str, value: float) -> Figure:
    """A gauge without labels."""
    return Figure(name, "gauge", meaning, {(): value})


def by_label(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Figure:
    """A counter with one label."""
    return Figure(name, "counter", meaning, {((label, key),): n for key, n in values.items()})


def flat(figures: Iterable[Figure | Distribution]) -> dict[str, float]:
    """Every value by its whole name, like `doorward_broker_messages_sent_total{qos="1"}`."""
    found: dict[str, float] = {}
    for figure in figures:
        if isinstance(figure, Distribution):
            found[figure.name + "_count"] = figure.buckets[-1][1]
            found[figure.name + "_sum"] = figure.total
            continue
        for labels, value in figure.values.items():
            told = ",".join(f'{name}="{text}"' for name, text in labels)
            found[f"{figure.name}{{{told}}}" if told else figure.name] = value
    return found
