"""What holds for every life of a board's log, on a partition and in files: see log_life.py."""

from collections.abc import Callable
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_life import Life, live
from one_log import in_files
from test_node_log_promise import Board

from doorward_node import journal, segments

STEPS = 10
SEGMENTS = 8
EXAMPLES = 40
A_SEGMENT = 16
# Fewer of them fill a ring's smallest part: see test_node_log_promise.py.
A_SECTOR = 23

chances = st.randoms(use_true_random=False)
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


def on_partition(random: Random, sectors: int) -> None:
    board: Any = Board(sectors)
    chance = random.randrange
    live(Life(board.open, board.half, A_SECTOR), chance, STEPS, lambda: board.cut(chance))


def in_a_folder(random: Random) -> None:
    half = (SEGMENTS // 2 - 1) * A_SEGMENT - 2
    with TemporaryDirectory() as folder:
        live(Life(lambda: in_files(folder + "/log"), half, 0), random.randrange, STEPS)


@pytest.fixture(autouse=True)
def _few_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_MAX_SEGMENTS", SEGMENTS)


@many
@given(chances, st.sampled_from((4, 5, 6)))
def test_on_a_partition_what_measures_never_drives_out_what_matters(
    random: Random, sectors: int
) -> None:
    on_partition(random, sectors)


@many
@given(chances)
def test_in_files_what_measures_never_drives_out_what_matters(random: Random) -> None:
    in_a_folder(random)


def stored_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_TELEMETRY", ())


def forced_doors_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_TELEMETRY", (*journal._TELEMETRY, "door.forced"))


def never_crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments.Segments, "crowded", lambda store: False)


def nearly_all_is_half(monkeypatch: pytest.MonkeyPatch) -> None:
    few = lambda store: len(store._segments) > SEGMENTS - 1  # noqa: E731 - as short as it is used
    monkeypatch.setattr(segments.Segments, "crowded", few)


def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    drop = segments.Segments._drop

    def forget(store: Any) -> None:
        drop(store)
        store.lost = 0

    monkeypatch.setattr(segments.Segments, "_drop", forget)


def all_of(seeds: range) -> None:
    for seed in seeds:
        in_a_folder(Random(seed))


@pytest.mark.parametrize(
    "mutate", [stored_all, forced_doors_measure, never_crowded, nearly_all_is_half, unsaid]
)
def test_a_log_that_breaks_the_promise_is_caught(
    mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        all_of(range(60))
