import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.cli.text import clean, local_time, table, width


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Maya Okafor", "Maya Okafor"),
        ("Zoë 王 Müller", "Zoë 王 Müller"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("two\nlines\tand a tab", "two\\nlines\\tand a tab"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u2028b", "a\\u2028b"),
        ("نامه\u200cها", "نامه\u200cها"),
    ],
)
def test_what_steers_a_terminal_is_written_out(given: str, shown: str) -> None:
    assert clean(given) == shown


@given(st.text())
def test_nothing_that_steers_is_left(text: str) -> None:
    left = {unicodedata.category(char) for char in clean(text)} & {"Cc", "Cs", "Zl", "Zp"}
    assert not left
    assert not any(char in clean(text) for char in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


def test_columns_stand_below_each_other_in_any_script() -> None:
    lines = table(("name", "lock"), [("王小明", "locked"), ("Zoe\u0301", None)]).splitlines()
    assert lines == ["name    lock", "王小明  locked", "Zoe\u0301     -"]
    assert len({width(line[: line.rindex(" ") + 1]) for line in lines}) == 1


def test_a_cell_cannot_break_its_row() -> None:
    assert len(table(("name",), [("a\nb",), ("c\rd",)]).splitlines()) == 3


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_times_are_shown_in_the_zone_of_the_reader() -> None:
    assert local_time("2026-11-21T10:30:00Z") == "2026-11-21 11:30:00"
    assert local_time("2026-07-01T10:30:00+00:00") == "2026-07-01 12:30:00"
    assert local_time(None) is None
