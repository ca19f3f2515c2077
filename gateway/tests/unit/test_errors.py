"""An error is one line, whatever it quotes."""

import pytest

from doorward.errors import NotFound, one_line


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("Maya Okafor", "Maya Okafor"),
        ("Ćwikła 東京", "Ćwikła 東京"),
        ("a\r\nb", "a\\r\\nb"),
        ("\x1b[2J\x00", "\\x1b[2J\\x00"),
        ("\u202egnp\u2028", "\\u202egnp\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_steers_a_screen_is_written_out(sent: str, told: str) -> None:
    assert one_line(sent) == told
    assert (
        NotFound(f"there is no {sent}", "look again").message == f"there is no {told}; look again"
    )
