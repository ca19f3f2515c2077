"""What becomes of the output of the unix port, however it is cut into pieces."""

import pytest

from doorward_lab.prompt import PROMPT, Prompt

BANNER = b'MicroPython v1\r\nType "help()" for more information.\r\n>>> '
RAW = b"\r\nraw REPL; CTRL-B to exit\r\n>"


def heard(prompt: Prompt, data: bytes, piece: int) -> bytes:
    return b"".join(prompt.feed(data[at : at + piece]) for at in range(0, len(data), piece))


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_the_mark_is_taken_out_and_lines_end_as_on_a_board(piece: int) -> None:
    prompt = Prompt(raw=False)
    said = heard(prompt, b"one\n\x00two\r\n" + PROMPT + BANNER, piece)
    assert said == b"one\r\n\x00two\r\n" + BANNER
    assert not prompt.raw
    assert not prompt.wants_raw


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_raw_mode_outlasts_a_soft_reset(piece: int) -> None:
    prompt = Prompt(raw=True)
    assert heard(prompt, b"boot\n" + PROMPT + BANNER, piece) == b"boot\r\n"
    assert prompt.wants_raw
    assert heard(prompt, RAW + b"OK", piece) == b"raw REPL; CTRL-B to exit\r\n>OK"
    assert prompt.raw


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_the_mode_is_followed(piece: int) -> None:
    prompt = Prompt(raw=False)
    heard(prompt, PROMPT + BANNER + RAW, piece)
    assert prompt.raw
    heard(prompt, b">>> printed by a program\r\n", piece)
    assert prompt.raw
    heard(prompt, b"\r\n" + BANNER, piece)
    assert not prompt.raw
