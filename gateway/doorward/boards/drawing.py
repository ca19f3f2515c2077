"""A wiring diagram as SVG: readable on light and on dark, with no script and nothing from elsewhere."""

from collections.abc import Collection, Iterator
from html import escape

from doorward.boards.devkits import Header
from doorward.boards.layout import (
    BOARD_WIDTH,
    BOX_WIDTH,
    HALF,
    LEFT,
    NOTE_HEIGHT,
    PITCH,
    RIGHT,
    Layout,
    Placed,
    Row,
    Run,
    across_x,
    laid_out,
)
from doorward.boards.pins import pin_uses
from doorward.boards.schema.profile import Profile
from doorward.errors import one_line

_STYLE = """
svg{--paper:#fff;--ink:#1b1f24;--soft:#57606a;--box:#f3f4f6;--edge:#8c959f;--pcb:#24292f;--pad:#d8b04a;
--on-pcb:#f6f8fa;--dim:#9aa4ae;--black:#1b1f24;--red:#cf222e;--orange:#d1570a;--blue:#0969da;--green:#1a7f37;
--yellow:#8a6a00;--purple:#8250df;--brown:#86502a;--teal:#0e7c86;--pink:#bf3989;--grey:#6e7781}
@media (prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#f0f3f6;--soft:#b1bac4;--box:#1c2128;--edge:#768390;
--pcb:#2d333b;--on-pcb:#f0f3f6;--dim:#adb6bf;--black:#f0f3f6;--red:#ff7b72;--orange:#ffa657;--blue:#79c0ff;
--green:#7ee787;--yellow:#e3b341;--purple:#d2a8ff;--brown:#d4a27f;--teal:#56d4dd;--pink:#ff9bce;--grey:#a3adb8}}
text{font:12px/1 system-ui,-apple-system,"Segoe UI","DejaVu Sans",Arial,sans-serif;fill:var(--ink)}
.h{font-size:18px;font-weight:600}.t{font-size:13px;font-weight:600}.s{font-size:11px;fill:var(--soft)}
.p{font-size:11px;fill:var(--dim)}.u{font-size:11px;font-weight:700;fill:var(--on-pcb)}
.w{fill:none;stroke-width:2.5;stroke-linejoin:round}.r{fill:var(--paper);stroke:var(--ink);stroke-width:1.5}
.b{fill:var(--box);stroke:var(--edge)}
"""


# Loud on either paper, and not of the wires' colours.
_MARK_STYLE = """svg{--mark:#ffb000}@media (prefers-color-scheme:dark){svg{--mark:#b26a00}}
.m{fill:none;stroke:var(--mark);stroke-width:11;stroke-linejoin:round;stroke-linecap:round}
.k{fill:none;stroke:var(--mark);stroke-width:4}.a{font-size:12px;font-weight:700}
"""


def svg(profile: Profile, marked: Collection[tuple[str, int]] = ()) -> str:
    """The diagram of a profile, a whole SVG file. marked: wires to point at, by their part and GPIO."""
    layout = laid_out(profile)
    starts = {
        (one.inner, row.y): row
        for one in layout.placed
        for row in one.rows
        if (one.box.part, row.wire.end) in marked
    }
    size = f"{layout.width:g} {layout.height:g}"
    sides = f'width="{layout.width:g}" height="{layout.height:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" {sides} role="img">',
        f"<title>{_safe(profile.title)}: wiring</title>",
        f"<style>{_STYLE}{_MARK_STYLE if starts else ''}</style>",
        f'<rect width="{layout.width:g}" height="{layout.height:g}" fill="var(--paper)"/>',
        _text(20, 32, profile.title, "h"),
        _text(20, 52, f"{layout.kit.title}, seen from above. Follow the printed pin names.", "s"),
        *[_halo(run) for run in layout.runs if run.points[0] in starts],
        _board(layout),
        *[_run(run) for run in layout.runs],
        *_headers(layout),
        *[_box(one) for one in layout.placed],
        *[
            _pointer(one, row)
            for one in layout.placed
            for row in one.rows
            if (one.inner, row.y) in starts
        ],
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{at}>{_safe(words)}</text>'


def _safe(words: str) -> str:
    # XML has no way to write most control characters.
    return escape(one_line(words))


def _run(run: Run) -> str:
    path = "M" + " L".join(f"{x:g} {y:g}" for x, y in run.points)
    dots = "".join(
        f'<circle cx="{x:g}" cy="{y:g}" r="3.5" fill="var(--{run.colour})"/>' for x, y in run.ends
    )
    return f'<path class="w" stroke="var(--{run.colour})" d="{path}"/>{dots}'


def _halo(run: Run) -> str:
    return '<path class="m" d="M' + " L".join(f"{x:g} {y:g}" for x, y in run.points) + '"/>'


def _pointer(one: Placed, row: Row) -> str:
    """A ring round the terminal, and words: a colour alone says nothing to some."""
    ring = f'<circle class="k" cx="{one.inner:g}" cy="{row.y:g}" r="9"/>'
    x = one.x + (12 if one.side == LEFT else BOX_WIDTH - 12)
    return ring + _text(x, row.y + 4, "check this", "a", "start" if one.side == LEFT else "end")


def _board(layout: Layout) -> str:
    x, y, height = layout.board_x, layout.board_y, layout.board_height
    middle = x + BOARD_WIDTH / 2
    parts = [
        f'<rect x="{x:g}" y="{y:g}" width="{BOARD_WIDTH}" height="{height:g}" rx="8" fill="var(--pcb)"/>',
        f'<rect x="{middle - 30:g}" y="{y + height / 2 - 50:g}" width="60" height="70" rx="3" fill="#8c959f"/>',
        f'<rect x="{middle - 14:g}" y="{y + height - 12:g}" width="28" height="20" rx="3" fill="#8c959f"/>',
        _text(middle, y + height - 20, "USB", "u", "middle"),
    ]
    return "".join(parts)


def _headers(layout: Layout) -> Iterator[str]:
    used = {use.gpio for use in pin_uses(layout.profile)}
    for side, header in ((LEFT, layout.kit.left), (RIGHT, layout.kit.right)):
        for index, pin in enumerate(header):
            yield _header(layout.pin(side, index), pin, side, wired=pin.gpio in used)


def _header(at: tuple[float, float], pin: Header, side: int, *, wired: bool) -> str:
    x, y = at
    rail = pin.gpio is None
    pad = f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="var(--pad)"/>'
    anchor = "start" if side == LEFT else "end"
    label = _text(x - side * 10, y + 4, pin.label, "u" if wired or rail else "p", anchor)
    return pad + label


def _box(one: Placed) -> str:
    parts = [
        f'<rect class="b" x="{one.x:g}" y="{one.y:g}" width="{BOX_WIDTH}" height="{one.height:g}" rx="6"/>',
        _text(one.x + 12, one.y + 19, one.box.title, "t"),
        *[_terminal(one, row) for row in one.rows],
    ]
    below = one.rows[-1].y + (PITCH if one.rows[-1].wire.across else 0) + PITCH - 2
    parts += [
        _text(one.x + 12, below + index * NOTE_HEIGHT, line, "s")
        for index, line in enumerate(one.notes)
    ]
    return "".join(parts)


def _terminal(one: Placed, row: Row) -> str:
    wire, y, out = row.wire, row.y, -one.side
    anchor = "end" if one.side == LEFT else "start"
    parts = [
        f'<circle cx="{one.inner:g}" cy="{y:g}" r="4" fill="var(--{wire.colour})"/>',
        _text(one.inner - out * 10, y + 4, wire.terminal, "n", anchor),
    ]
    name = f"GPIO {wire.end}" if isinstance(wire.end, int) else wire.end
    away = "start" if one.side == LEFT else "end"
    parts.append(_text(one.inner + out * 8, y - 5, name, "s", away))
    if wire.through:
        parts.append(_resistor(one.inner + out * 90, y, wire.through, upright=False))
    if wire.across:
        x = one.inner + out * across_x()
        parts.append(
            f'<path class="w" stroke="var(--{wire.colour})" d="M{x:g} {y:g} V{y + PITCH:g}"/>'
        )
        parts.append(_resistor(x, y + HALF, "", upright=True))
        parts.append(
            _text(x - out * 10, y + HALF + 8, wire.across[0], "s", "end" if out > 0 else "start")
        )
    return "".join(parts)


def _resistor(x: float, y: float, words: str, *, upright: bool) -> str:
    if upright:
        return f'<rect class="r" x="{x - 4:g}" y="{y - 7:g}" width="8" height="14" rx="2"/>'
    body = f'<rect class="r" x="{x - 14:g}" y="{y - 4:g}" width="28" height="8" rx="2"/>'
    return body + _text(x, y - 7, words, "s", "middle")
