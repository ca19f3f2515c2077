"""Where everything of a wiring diagram lies: the board in the middle, its parts left and right, a lane for every wire.

Lengths are in the drawing's own units, y runs down. Terminals lie on one grid and header pins on another, half a step
apart: no two horizontal runs can come to lie on each other, and every upright run has a lane to itself.
"""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from doorward.boards.devkits import GROUND, KITS, VOLTS_3, VOLTS_5, DevKit
from doorward.boards.schema.profile import Profile
from doorward.boards.wiring import RAILS, Box, Wire, boxes

PITCH = 22
HALF = PITCH // 2
BOX_WIDTH = 250
BOARD_WIDTH = 170
TITLE_HEIGHT = 26
NOTE_HEIGHT = 15
NOTE_CHARACTERS = 38
_LABELS = 150  # between a box and its rails: the wire's label and its resistor
_RAIL_STEP = 14
_LANE_STEP = 8
_MARGIN = 20
_TITLE = 66
PAD = 8  # from the board's edge to its pins
_GAP = 16
LEFT, RIGHT = -1, 1

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Run:
    """A wire as drawn: corners from the part's end to the board's. Every segment is level or upright."""

    colour: str
    points: tuple[Point, ...]
    ends: tuple[Point, ...] = ()  # where it is joined to something, drawn as dots


@dataclass(frozen=True, slots=True)
class Row:
    """One terminal of a placed box; y is its wire's."""

    wire: Wire
    y: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A box with its place. inner: the x of the edge that its wires leave; side: where that is of the board."""

    box: Box
    side: int
    x: float
    y: float
    height: float
    inner: float
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Layout:
    """The whole drawing."""

    profile: Profile
    kit: DevKit
    width: float = 0
    height: float = 0
    board_x: float = 0
    board_y: float = 0
    placed: list[Placed] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @property
    def board_height(self) -> float:
        """From the edge over the first pins to the USB socket."""
        return (max(len(self.kit.left), len(self.kit.right)) + 1) * PITCH

    def pin(self, side: int, index: int) -> Point:
        """A header pin."""
        x = self.board_x + (BOARD_WIDTH - PAD if side == RIGHT else PAD)
        return x, self.board_y + (index + 1) * PITCH

    def find(self, end: int | str, side: int) -> tuple[int, int]:
        """(side, index) of the pin that a wire from `side` ends at: rails have several, the nearest counts."""
        for there in (side, -side):
            header = self.kit.left if there == LEFT else self.kit.right
            for index, pin in enumerate(header):
                if end in (pin.gpio, pin.label):
                    return there, index
        raise LookupError(end)


@dataclass(slots=True)
class _Wish:
    """A connection that still has no lane: from (x, y) beside the boxes of `side` to a header pin."""

    side: int
    start: Point
    target: tuple[int, int]
    colour: str
    rail: bool = False


def laid_out(profile: Profile) -> Layout:
    """Place every part and every wire of a profile."""
    layout = Layout(profile, KITS[profile.chip])
    sides = _sides(layout, boxes(profile))
    rails = {side: _rails_of(found) for side, found in sides.items()}
    rows_of_rails = max(len(names) for names in rails.values())
    lanes, around = _lanes_needed(layout, sides, rails)
    over = _TITLE + around * _LANE_STEP + PITCH
    top = over + rows_of_rails * PITCH
    gutter = {side: _gutter(sides[side], rails[side], lanes[side]) for side in sides}
    layout.board_x = _MARGIN + (BOX_WIDTH if sides[LEFT] else 0) + gutter[LEFT]
    layout.board_y = over + HALF
    layout.width = layout.board_x + BOARD_WIDTH + gutter[RIGHT] + _MARGIN
    layout.width += BOX_WIDTH if sides[RIGHT] else 0
    for side, found in sides.items():
        _place(layout, side, found, top)
    bottoms = [one.y + one.height for one in layout.placed]
    layout.height = max([layout.board_y + layout.board_height, *bottoms]) + _MARGIN
    wishes = [wish for side in sides for wish in _wishes(layout, side, rails[side])]
    _route(layout, wishes)
    return layout


def _sides(layout: Layout, found: Iterable[Box]) -> dict[int, list[Box]]:
    """Each part to the side where most of its pins are; the shorter side when that is a draw."""
    sides: dict[int, list[Box]] = {LEFT: [], RIGHT: []}
    for box in found:
        ends = [wire.end for wire in box.wires if isinstance(wire.end, int)]
        balance = sum(layout.find(end, LEFT)[0] for end in ends)
        if balance == 0:
            balance = LEFT if _height(sides[LEFT]) <= _height(sides[RIGHT]) else RIGHT
        sides[LEFT if balance < 0 else RIGHT].append(box)
    return sides


def _height(found: Iterable[Box]) -> float:
    return sum(_box_height(box) + _GAP for box in found)


def _rows_of(wire: Wire) -> int:
    return 2 if wire.across else 1


def _notes_of(box: Box) -> tuple[str, ...]:
    return tuple(line for note in box.notes for line in textwrap.wrap(note, NOTE_CHARACTERS))


def _box_height(box: Box) -> float:
    rows = sum(_rows_of(wire) for wire in box.wires)
    height = TITLE_HEIGHT + rows * PITCH + len(_notes_of(box)) * NOTE_HEIGHT + HALF
    return -(-height // PITCH) * PITCH  # whole steps: the next box keeps to the grid


def _rails_of(found: Iterable[Box]) -> list[str]:
    needed = {wire.end for box in found for wire in box.wires}
    needed |= {wire.across[1] for box in found for wire in box.wires if wire.across}
    return [name for name in (GROUND, VOLTS_3, VOLTS_5) if name in needed]


def _lanes_needed(
    layout: Layout, sides: dict[int, list[Box]], rails: dict[int, list[str]]
) -> tuple[dict[int, int], int]:
    """How many upright runs each gutter holds, and how many wires go round the board: those need a lane in both."""
    lanes = {LEFT: 1, RIGHT: 1}
    around = 0
    for side, found in sides.items():
        ends = [wire.end for box in found for wire in box.wires if isinstance(wire.end, int)]
        wanted: list[int | str] = [*ends, *rails[side]]
        for end in wanted:
            lanes[side] += 1
            if layout.find(end, side)[0] != side:
                lanes[-side] += 1
                around += 1
    return lanes, around


def _gutter(found: list[Box], rails: list[str], lanes: int) -> float:
    labels = _LABELS if found else 0
    return labels + len(rails) * _RAIL_STEP + (lanes + 1) * _LANE_STEP


def _place(layout: Layout, side: int, found: list[Box], top: float) -> None:
    x = _MARGIN if side == LEFT else layout.width - _MARGIN - BOX_WIDTH
    y = top
    for box in found:
        rows = []
        at = y + PITCH + HALF
        # On the grid between the header pins.
        at += (layout.board_y + HALF - at) % PITCH
        for wire in box.wires:
            rows.append(Row(wire, at))
            at += _rows_of(wire) * PITCH
        height = at - HALF + len(_notes_of(box)) * NOTE_HEIGHT + HALF - y
        height = -(-height // PITCH) * PITCH
        inner = x + (BOX_WIDTH if side == LEFT else 0)
        layout.placed.append(Placed(box, side, x, y, height, inner, tuple(rows), _notes_of(box)))
        y += height + _GAP - _GAP % PITCH + PITCH


def _rail_x(layout: Layout, side: int, index: int) -> float:
    inner = (_MARGIN + BOX_WIDTH) if side == LEFT else (layout.width - _MARGIN - BOX_WIDTH)
    return inner - side * (_LABELS + index * _RAIL_STEP)


def _wishes(layout: Layout, side: int, rails: list[str]) -> Iterator[_Wish]:
    mine = [one for one in layout.placed if one.side == side]
    if not mine:
        return
    rail_x = {name: _rail_x(layout, side, index) for index, name in enumerate(rails)}
    lowest = dict.fromkeys(rails, 0.0)
    for one in mine:
        for row in one.rows:
            start = (one.inner, row.y)
            if isinstance(row.wire.end, str):
                _stub(layout, start, row.y, row.wire.end, rail_x, lowest)
            else:
                yield _Wish(side, start, layout.find(row.wire.end, side), row.wire.colour)
            if row.wire.across:
                below = row.y + PITCH
                bend = one.inner - side * across_x()
                _stub(layout, (bend, below), below, row.wire.across[1], rail_x, lowest)
    first = min(row.y for one in mine for row in one.rows)
    for index, name in enumerate(rails):
        y = first - (len(rails) - index) * PITCH
        x = rail_x[name]
        layout.runs.append(Run(RAILS[name], ((x, y), (x, lowest[name])), ()))
        yield _Wish(side, (x, y), layout.find(name, side), RAILS[name], rail=True)


def across_x() -> float:
    """How far from its box a resistor to a rail leaves the wire."""
    return _LABELS - 18


def _stub(
    layout: Layout,
    start: Point,
    y: float,
    name: str,
    rail_x: dict[str, float],
    lowest: dict[str, float],
) -> None:
    layout.runs.append(Run(RAILS[name], (start, (rail_x[name], y)), ((rail_x[name], y),)))
    lowest[name] = max(lowest[name], y)


def _route(layout: Layout, wishes: list[_Wish]) -> None:
    """Give every wire a lane. Those that go down and those that go up are ordered so that neighbours do not cross."""
    rounds = 0
    used = {LEFT: 0, RIGHT: 0}
    for wish in sorted(wishes, key=lambda wish: _lane_order(layout, wish)):
        there, index = wish.target
        pin = layout.pin(there, index)
        lane = _lane_x(layout, wish.side, used[wish.side])
        used[wish.side] += 1
        corners = [wish.start, (lane, wish.start[1])]
        if there != wish.side:
            over = layout.board_y - PITCH - rounds * _LANE_STEP
            rounds += 1
            far = _lane_x(layout, there, used[there])
            used[there] += 1
            corners += [(lane, over), (far, over), (far, pin[1])]
        else:
            corners.append((lane, pin[1]))
        layout.runs.append(Run(wish.colour, (*corners, pin)))


def _lane_order(layout: Layout, wish: _Wish) -> tuple[int, float]:
    # Lanes are given out from the board to the boxes. Wires round the board first, then those that go down, the
    # uppermost nearest to the board, then those that go up, the lowest nearest to the board.
    if wish.target[0] != wish.side:
        return 0, wish.start[1]
    down = layout.pin(*wish.target)[1] > wish.start[1]
    return (1, wish.start[1]) if down else (2, -wish.start[1])


def _lane_x(layout: Layout, side: int, number: int) -> float:
    edge = layout.board_x + (BOARD_WIDTH if side == RIGHT else 0)
    return edge + side * (number + 2) * _LANE_STEP
