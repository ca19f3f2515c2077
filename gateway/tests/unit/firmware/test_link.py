"""Modules that are always loaded together become one, and the program does what it did."""

import ast

import pytest
from program_runs import ran

from doorward.firmware.link import CannotLink
from doorward.firmware.shrink import Shrunk, shrink

NODE = "doorward_node/"
PROGRAM = {
    NODE + "__init__.py": "VERSION = '1'\n",
    NODE + "roles/__init__.py": "",
    NODE + "supervisor.py": """
from doorward_node import base
from doorward_node.base import LIMIT

def main(role):
    from doorward_node.assembly import assemble
    name = "roles." + role
    found = __import__("doorward_node." + name, None, None, ("build",))
    return [assemble(role), found.build(), base.count(), LIMIT, base.Shape(2).area(), base.GREETING]
""",
    NODE + "assembly.py": """
from doorward_node import VERSION, base, text as words

def assemble(role):
    from doorward_node import seldom
    return VERSION + words.shout(role) + str(base.LIMIT) + seldom.said()
""",
    NODE + "base.py": """
from errno import ENOENT
LIMIT = const(7)
_HIDDEN = const(3)
GREETING = "a text that is told"
_BYTES = b"bytes"
FIRST = "changed by somebody"
__all__ = ("count",)
calls = 0

class BaseError(ValueError):
    pass

class Shape:
    LIMIT = 5
    def __init__(self, side):
        self.side = side
    def area(self):
        return self.side * LIMIT * _HIDDEN + self.LIMIT + ENOENT + len(_BYTES)

def count():
    global calls, FIRST
    calls += 1
    FIRST += str(calls)
    return calls

def fail():
    raise BaseError("as it must")
""",
    NODE + "text.py": """
from errno import ENOENT
from doorward_node import base
from doorward_node.base import Shape, count as counted
_HIDDEN = const(4)

def shout(text, base_of=2):
    counted()
    shapes = [Shape(_HIDDEN + 4) for _HIDDEN in range(base_of)]
    return text.upper() + base.GREETING + base.FIRST + str([shape.area() for shape in shapes]) + str(ENOENT)

def caught():
    try:
        base.fail()
    except base.BaseError as error:
        return type(error).__name__, [LIMIT for LIMIT in (1, 2)]
""",
    NODE
    + "seldom.py": "from doorward_node import text\n\ndef said():\n    return str(text.caught())\n",
    NODE
    + "lock.py": "from doorward_node.text import shout\n\ndef click():\n    return shout('click')\n",
    NODE
    + "light.py": "from doorward_node import text\n\ndef shine():\n    return text.shout('shine')\n",
    NODE
    + "lock_more.py": "from doorward_node import lock\n\ndef twice():\n    return lock.click() * 2\n",
    NODE + "roles/door.py": (
        "from doorward_node.lock import click\nfrom doorward_node import lock_more\n"
        "def build():\n    return click() + lock_more.twice()\n"
    ),
    NODE + "roles/lamp.py": (
        "from doorward_node.light import shine\ndef build():\n    return shine()\n"
    ),
}
ENTRY = "from doorward_node.supervisor import main\n"


@pytest.fixture
def made() -> Shrunk:
    return shrink(PROGRAM, [ENTRY])


@pytest.mark.parametrize("role", ["door", "lamp"])
def test_it_does_what_it_did(made: Shrunk, role: str) -> None:
    before = ran(PROGRAM, "doorward_node.supervisor", "main", role)
    assert ran(made.sources, "doorward_node.supervisor", "main", role) == before


def test_what_the_same_roles_load_is_together(made: Shrunk) -> None:
    name = "doorward_node.{}".format
    # light is by itself in its group; seldom, and what an entry or a config names, is loaded by name.
    assert sorted(map(sorted, made.members.values())) == [
        [name("base"), name("text")],
        [name("lock"), name("lock_more")],
    ]
    assert {NODE + f"{one}.py" for one in ("seldom", "light", "supervisor")} <= set(made.sources)
    assert NODE + "base.py" not in made.sources


def test_numbers_stand_where_they_are_used(made: Shrunk) -> None:
    assert "LIMIT" not in made.sources[NODE + "supervisor.py"]
    joined = next(source for path, source in made.sources.items() if "BaseError" in source)
    assert "* 7 * 3" in joined
    assert "const" not in joined


def test_so_do_texts_that_nothing_changes(made: Shrunk) -> None:
    joined = next(source for path, source in made.sources.items() if "BaseError" in source)
    assert "= 'a text that is told'" not in joined
    assert "+ 'a text that is told' +" in joined
    assert "len(b'bytes')" in joined
    assert "= 'changed by somebody'" in joined
    assert "__all__" not in joined
    assert "('count',)" not in joined


def test_a_traceback_names_the_module_that_it_was(made: Shrunk) -> None:
    told = {own[0] for names in made.called.values() for own in names.values()}
    assert {"doorward_node.base:Shape.area", "doorward_node.text:shout"} <= told


def test_what_an_entry_names_stays_by_itself() -> None:
    made = shrink(PROGRAM, [ENTRY + "from doorward_node import text\ntext.shout('x')\n"])
    assert "def shout(" in made.sources[NODE + "text.py"]


def test_what_stays_by_itself_can_be_loaded_first() -> None:
    """base needs first, and text needs base: were first and text one module, neither could begin without the other."""
    program = {**PROGRAM, NODE + "first.py": "sizes = [3]\n"}
    program[NODE + "base.py"] = (
        "from doorward_node.first import sizes\n" + PROGRAM[NODE + "base.py"]
    )
    call = ("doorward_node.supervisor", "main", "door")
    made = shrink(program, [ENTRY + "from doorward_node import base\n"])
    assert ran(made.sources, *call) == ran(program, *call)


def test_a_module_that_is_passed_on_or_changed_stays_by_itself() -> None:
    for line in ("known = [base]\n", "base.calls = 5\n"):
        source = PROGRAM[NODE + "supervisor.py"].replace("    name =", "    " + line + "    name =")
        made = shrink({**PROGRAM, NODE + "supervisor.py": source}, [ENTRY])
        assert NODE + "base.py" in made.sources


@pytest.mark.parametrize(
    "line",
    [
        "from stat import S_IFDIR as ENOENT\n",
        "class BaseError(OSError):\n    pass\n",
    ],
)
def test_two_that_contradict_each_other_are_named(line: str) -> None:
    source = PROGRAM[NODE + "text.py"].replace("from errno import ENOENT\n", line)
    source = source if "ENOENT" in line else source.replace("str(ENOENT)", "''")
    with pytest.raises(CannotLink, match="give it another name"):
        shrink({**PROGRAM, NODE + "text.py": source}, [ENTRY])


def test_all_of_it_compiles(made: Shrunk) -> None:
    for path, source in made.sources.items():
        assert ast.parse(source, path)


def test_what_a_module_has_from_elsewhere_is_had_from_the_one_that_it_became() -> None:
    program = {
        **PROGRAM,
        NODE + "base.py": "MYPY = False\n"
        "if MYPY or absent():\n    from doorward_node.other import ENOENT\n"
        "else:\n    from errno import ENOENT\n" + PROGRAM[NODE + "base.py"],
        NODE + "seldom.py": "from doorward_node.base import ENOENT\n"
        "def said():\n    return '!' + str(ENOENT)\n",
    }
    sources = shrink(program, [ENTRY]).sources
    assert NODE + "base.py" not in sources
    assert "MYPY" not in "".join(sources.values())
    assert ran(sources, "doorward_node.supervisor", "main", "door")[0].endswith("!2")
