"""Where the wires of a diagram run."""

import itertools

import pytest
from stage.boards import FOLDER, NAMES

from doorward import boards
from doorward.boards.layout import laid_out


@pytest.mark.parametrize("name", NAMES)
def test_no_two_wires_lie_on_each_other(name: str) -> None:
    layout = laid_out(boards.load(FOLDER, name))
    level: dict[float, list[tuple[float, float, int, str]]] = {}
    upright: dict[float, list[tuple[float, float, int, str]]] = {}
    for number, run in enumerate(layout.runs):
        for (x, y), (to_x, to_y) in itertools.pairwise(run.points):
            assert x == to_x or y == to_y, "no slanted wires"
            if y == to_y and x != to_x:
                level.setdefault(y, []).append((min(x, to_x), max(x, to_x), number, run.colour))
            elif x == to_x:
                upright.setdefault(x, []).append((min(y, to_y), max(y, to_y), number, run.colour))
    for spans in (*level.values(), *upright.values()):
        for (a, b, one, colour), (c, d, other, second) in itertools.combinations(spans, 2):
            # Two wires of one rail may share the last piece to its pin.
            if one != other and colour != second:
                assert min(b, d) - max(a, c) <= 0, f"wires {one} and {other}"
