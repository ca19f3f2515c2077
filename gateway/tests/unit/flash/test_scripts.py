"""What goes to the board as text: every byte of every file, and every line of its report."""

import base64
import re

from doorward.flash import scripts


def written(made: list[str]) -> dict[str, bytes]:
    """What these scripts would write, by path."""
    files: dict[str, bytes] = {}
    for script in made:
        path = ""
        for line in script.splitlines():
            if begun := re.match(r"begin\('(.+)', '(wb|ab)'\)", line):
                path = begun[1]
                files[path] = b"" if begun[2] == "wb" else files[path]
            elif text := re.match(r"w\('(.*)'\)", line):
                files[path] += base64.b64decode(text[1])
    return files


def test_every_file_is_sent_whole_in_pieces_that_a_board_has_room_for() -> None:
    files = {
        "/a/one.mpy": bytes(range(256)) * 50,
        "/a/small": b"x",
        "/a/empty": b"",
        "/a/exact": b"y" * 4096,
    }
    made = scripts.send(files)
    assert written(made) == files
    assert max(map(len, made)) < 7000
    assert scripts.send({}) == []


def test_a_report_is_put_together_and_one_that_is_cut_is_none() -> None:
    mark = scripts.MARK
    said = f'noise\r\n..{mark} {{"lacking": ["a"]}}\r\n{mark} {{"lacking": ["b"], "slot": "a"}}\r\n'
    assert scripts.report(said) == {"lacking": ["a", "b"], "slot": "a"}
    assert scripts.report(said[:-5]) == {}
    assert scripts.report("nothing") == {}
