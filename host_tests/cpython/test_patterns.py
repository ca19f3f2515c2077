"""Every pattern ends, and leaves light and sound off; whatever else is refused."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from doorward_core.compat import ticks_add
from doorward_core.patterns import parse
from doorward_drivers.pattern import Player

STEP = st.builds(
    lambda what, ms: f"{what}{ms}",
    st.text(st.sampled_from("rgbhl"), min_size=1, max_size=3) | st.just("-"),
    st.integers(1, 10_000),
)
PATTERN = st.builds(
    lambda steps, times: " ".join(steps) + (f" *{times}" if times > 1 else ""),
    st.lists(STEP, min_size=1, max_size=32),
    st.integers(1, 20),
)
LONGEST_MS = 60_000


def accepted(text: str) -> bool:
    try:
        parse(text)
    except ValueError as error:
        assert str(error).startswith("pattern: ")
        return False
    return True


@given(PATTERN, st.integers(0, (1 << 30) - 1), st.integers(10, 400))
def test_every_pattern_ends_dark_and_on_time(text: str, start: int, pace: int) -> None:
    if not accepted(text):
        return
    shown: list[str] = []
    show: Callable[[str], None] = shown.append
    player = Player(show)
    player.play(text, start)
    steps, times = parse(text)
    total = sum(ms for _, ms in steps) * times
    assert total <= LONGEST_MS
    at = 0
    while at < total:
        assert player.playing()
        player.tick(ticks_add(start, at))
        at += pace
    player.tick(ticks_add(start, at))
    assert shown[-1] == ""
    assert not player.playing()


@given(PATTERN)
def test_the_player_shows_what_the_pattern_says(text: str) -> None:
    if not accepted(text):
        return
    shown: list[str] = []
    player = Player(shown.append)
    steps, times = parse(text)
    now = 5
    player.play(text, now)
    for what, ms in steps * times:
        assert shown[-1] == what
        now += ms
        player.tick(now)
    assert not player.playing()


@given(st.text(st.sampled_from("rg-* 0159Ø٣"), max_size=20) | st.text(max_size=12))
def test_any_text_is_a_pattern_or_refused_with_its_reason(text: str) -> None:
    if accepted(text):
        steps, times = parse(text)
        assert sum(ms for _, ms in steps) * times <= LONGEST_MS
        assert all(ms > 0 and (not what or what.isascii()) for what, ms in steps)
