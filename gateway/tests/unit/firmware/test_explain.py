"""A board's traceback, in the words of its authors."""

import json
from pathlib import Path

import pytest

from doorward.cli.root import run
from doorward.data import data_root
from doorward.firmware.explain import explain, names_file, read_names
from doorward.firmware.program import shrunk

CALLED = {
    "doorward_node.link": {"c": ["Link._attend"], "V": ["Link"], "q": ["Link.probe", "taken"]},
    "doorward_core.door": {"V": ["Door"], "q": ["opened"]},
}
TOLD = """\
boot
Traceback (most recent call last):
  File "main.py", line 4, in <module>
  File "doorward_node.link", line 1, in c
  File "doorward_node.link", line 1, in q
"""


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("OSError: [Errno 5] EIO", "OSError: [Errno 5] EIO"),
        (
            "AttributeError: 'V' object has no attribute 'q'",
            "AttributeError: 'Door or Link' object has no attribute 'probe or taken'",
        ),
        ("TypeError: c() takes 1 positional arguments", "TypeError: _attend() takes 1 positional"),
        ("NameError: name 'V' isn't defined", "NameError: name 'Link' isn't defined"),
        ("AttributeError: 'NoneType' object has no attribute 'c'", "'_attend'"),
    ],
)
def test_a_traceback_is_told_in_its_authors_words(said: str, meant: str) -> None:
    text = explain(TOLD + said, CALLED)
    assert '  File "doorward_node.link", in Link._attend\n' in text
    assert '  File "doorward_node.link", in Link.probe\n' in text
    assert text.startswith("boot\n")
    assert '  File "main.py", line 4, in <module>\n' in text
    assert meant in text


def test_a_module_that_was_several_is_told_as_they_were() -> None:
    called = {"m._0": {"c": ["m.link:Link.run"], "q": ["m.a:A.step", "m.b:B.step", "m.b:other"]}}
    assert explain('File "m._0", line 1, in c', called) == 'File "m.link", in Link.run'
    both = 'File "m._0", in m.a:A.step or m.b:B.step'
    assert explain('File "m._0", line 1, in q', called) == both
    said = explain("File \"m._0\", line 1, in c\nNameError: name 'q' isn't defined", called)
    assert said.endswith("name 'other or step' isn't defined")


def test_an_error_alone_may_be_anybodys() -> None:
    """As the log has it, with no traceback."""
    said = "AttributeError: 'V' object has no attribute 'q'"
    assert "'opened or probe or taken'" in explain(said, CALLED)


def test_names_survive_their_file() -> None:
    assert read_names(names_file("1", CALLED)) == CALLED


def test_the_command_reads_this_firmwares_tracebacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called = shrunk(data_root() / "firmware").called
    ((module, short),) = (
        (module, short)
        for module, names in called.items()
        for short, own in names.items()
        if own[0] == "doorward_node.link:Link._attend"
    )
    told = tmp_path / "told"
    told.write_text(f'  File "{module}", line 1, in {short}\n')
    assert run(["firmware", "explain", str(told)]) == 0
    assert capsys.readouterr().out == '  File "doorward_node.link", in Link._attend\n'
    names = tmp_path / "x.names"
    names.write_bytes(names_file("1", {module: {short: ["Elsewhere.other"]}}))
    assert run(["firmware", "explain", str(told), "--names", str(names), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == [
        f'  File "{module}", in Elsewhere.other'
    ]


def test_a_file_that_holds_no_names_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("[]")
    assert run(["firmware", "explain", str(wrong), "--names", str(wrong)]) != 0
    assert "no file of names" in capsys.readouterr().err
