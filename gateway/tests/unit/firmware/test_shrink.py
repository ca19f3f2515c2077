"""A program with shorter names does what it did, and keeps what others know it by."""

import ast
import os
import re
from pathlib import Path

import pytest
from program_runs import ran

from doorward.data import data_root
from doorward.firmware import program
from doorward.firmware.mpy import module_name
from doorward.firmware.program import shrunk
from doorward.firmware.short_names import chip_names
from doorward.firmware.shrink import Shrunk, shrink

REPOSITORY = Path(__file__).parents[4]

# Every kind of scope, and everything that a name can be.
PROGRAM = {
    "pack/__init__.py": '"""Text."""\nVERSION = "1"\n',
    "pack/shapes.py": '''
import json
from errno import ENOENT as absent

_SCALE = const(3)
counter = 0


class Shape:
    """A docstring."""
    sides: int = 0
    edges = [1, 2]
    doubled = [edge * 2 for edge in edges]

    def __init__(self, width: int, height: "int" = 2, *, depth=1):
        self._width = width
        self._height = height
        self.depth = depth

    def __call__(self):
        return self.area()

    def area(self) -> int:
        assert self._width > 0, "flat"
        return self._width * self._height * self.depth * _SCALE

    def scaled(self, factor):
        def times(value, factor=factor):
            return value * factor
        area = self.area()
        return times(area) + sum(factor for factor in range(factor) if factor)

    def named(self):
        return json.dumps({"area": self.area(), "width": self._width})


class Square(Shape):
    def __init__(self, side):
        super().__init__(side, side)
        self.side = side

    @property
    def diagonal(self):
        return (lambda side, factor: side * factor)(self.side, 2)


def count(step=1):
    global counter
    counter += step
    return counter


def nested(start):
    total = start
    def add(amount):
        nonlocal total
        total += amount
        return total
    add(1)
    return add(2)


def caught(text, *rest, **named):
    try:
        return int(text) + sum(rest) + sum(named.values())
    except ValueError as problem:
        return str(problem)[:7], absent


def generator(limit):
    for value in range(limit):
        yield value
    del value
''',
    "pack/user.py": """
from pack import shapes
from pack.shapes import Shape, Square as Box


class Bench:
    def run(self, shape):
        self.extra = None
        shape.note = "set from outside"
        return shape.note


def run_all():
    box = Box(4)
    text = "given"
    count = shapes.count
    shapes_of = [Shape(1), Shape(2, height=5), Shape(width=3, depth=4)]
    return [
        [shape.area() for shape in shapes_of], [shape() for shape in shapes_of], box.scaled(3),
        box.diagonal, box.named(), count(), count(4), shapes.counter, shapes.nested(5),
        shapes.caught("7", 1, 2, more=3), shapes.caught(text), list(shapes.generator(3)),
        Bench().run(box), getattr(box, "side"), Shape.doubled, {key: key for key in "ab"},
        {**{"text": text}}, f"{text!r} {box.depth:>3}", Shape.sides,
    ]
""",
}


@pytest.fixture
def made() -> Shrunk:
    return shrink(PROGRAM, ["from pack.user import run_all\nrun_all()\n"])


def test_it_does_what_it_did(made: Shrunk) -> None:
    assert ran(made.sources, "pack.user", "run_all") == ran(PROGRAM, "pack.user", "run_all")


def test_what_it_alone_uses_is_short(made: Shrunk) -> None:
    text = "".join(made.sources.values())
    for name in ("Shape", "_width", "scaled", "factor", "run_all_else", "diagonal", "shapes_of"):
        assert name not in text
    # In the text of the program: a dict's key, an attribute that getattr() names.
    assert {"area", "side", "width"} & set(made.names.short) == set()
    assert all(len(short) <= 2 for short in made.names.short.values())


def test_what_others_know_stays(made: Shrunk) -> None:
    kept = "".join(made.sources.values())
    for name in ("run_all", "json", "dumps", "height", "_SCALE = const(3)", "__call__", "shapes"):
        assert name in kept
    offered = {
        "pack/api.py": '__all__ = ("Open",)\n'
        "class Base:\n    def shut(self, hard, first): self.how = self._how = hard\n"
        "class Open(Base):\n    patience = 3\n"
        "    def __init__(self, port): self.port = port\n"
        "    def begin(self, first, second): self._inner(first)\n"
        "    def _inner(self, hidden): pass\n"
    }
    text = shrink(offered).sources["pack/api.py"]
    for name in ("Open", "patience", "__init__(self, port)", "begin(self, first, second)"):
        assert name in text
    # What stands in the class is offered, nothing of its bases: who wants that as well offers it there.
    for name in ("_inner", "hidden", "how", "shut", "hard", "Base", "__all__"):
        assert name not in text
    assert text.count("first") == 2, "and only there: another's argument may change"


def test_annotations_docstrings_and_assertions_are_gone(made: Shrunk) -> None:
    text = "".join(made.sources.values())
    assert "assert" not in text
    assert '"""' not in text
    assert "int" not in text.replace("int(", "")


def test_a_name_that_meets_another_gets_its_own(made: Shrunk) -> None:
    members = ("_width", "_height", "depth", "sides", "edges", "doubled", "scaled", "named")
    short = [made.names.short.get(name, name) for name in (*members, "diagonal", "note")]
    assert len(set(short)) == len(short)


def test_names_that_never_meet_share() -> None:
    short = shrunk(data_root() / "firmware").names.short
    assert len(set(short.values())) < len(short) / 4


def test_one_new_name_moves_few_others() -> None:
    """So an update has few files."""
    source = (data_root() / "firmware/doorward_node/link.py").read_text()
    sources = {"doorward_node/link.py": source}
    before = shrink(sources).names.short
    sources["doorward_node/more.py"] = (
        "class Other:\n    def brand_new(self):\n        self._fresh = 1\n"
    )
    after = shrink(sources).names.short
    moved = [name for name in before if after[name] != before[name]]
    assert len(moved) <= 2


def test_the_order_of_files_does_not_matter() -> None:
    turned = dict(reversed(PROGRAM.items()))
    assert shrink(turned).sources == shrink(PROGRAM).sources


def test_every_function_of_the_firmware_can_be_told_from_its_traceback() -> None:
    firmware = data_root() / "firmware"
    made = shrunk(firmware)
    short = made.names.short
    told = {
        f"{module}.{own}" if ":" not in own else own.replace(":", ".")
        for module, names in made.called.items()
        for several in names.values()
        for own in several
    }
    for path in [*firmware.glob("doorward_*/*.py"), *firmware.glob("doorward_node/roles/*.py")]:
        module = module_name(path.relative_to(firmware))
        for node in ast.parse(path.read_text()).body:
            for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                    whole = f"{module}.{owner}{inner.name}"
                    assert whole in told or inner.name not in short, whole


def test_what_people_call_at_a_boards_prompt_keeps_its_name() -> None:
    text = (REPOSITORY / "docs/hardware-bench.md").read_text()
    said = re.findall(r'mpremote exec "(from doorward_[^"]+)"', text)
    called = set(re.findall(r"\.(\w+)\(", " ".join(said)))
    assert {"make", "start", "health", "set"} <= called
    assert not called & set(shrunk(data_root() / "firmware").names.short)


def test_whatever_makes_it_small_is_part_of_its_makers_identity() -> None:
    """Else a board would be given what an earlier one of our tools made."""
    folder = Path(program.__file__).parent
    wanted, found = ["program"], set()
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found.add(name)
        text = (folder / f"{name}.py").read_text()
        for one, others in re.findall(
            r"^from doorward\.firmware(?:\.(\w+))? import (.*)", text, re.MULTILINE
        ):
            wanted += [one] if one else re.findall(r"\w+", others)
    assert {"shrink", "grouping", "mpy"} <= found
    # manifest.py only names the packages.
    assert {f"{name}.py" for name in found - {"manifest"}} <= set(program._MADE_BY)


def test_the_names_of_the_chip_are_known() -> None:
    """Whatever the stubs of MicroPython name is in chip_names.txt: else a method of ours could take its name along."""
    stubs = REPOSITORY / "typings"
    if not stubs.is_dir():
        pytest.skip("./test.sh --setup brings the stubs")
    named = set()
    for path in stubs.rglob("*.pyi"):
        if {"stdlib", "stubs"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    named.add(name)
                case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                    named.add(name)
    missing = sorted(name for name in named - chip_names() if not name.startswith("__"))
    if missing and os.environ.get("DOORWARD_WRITE_NAMES"):
        listed = data_root() / "gateway/doorward/firmware/chip_names.txt"
        listed.write_text(listed.read_text() + " ".join(missing) + "\n")
    assert not missing, "run this again with DOORWARD_WRITE_NAMES=1, and look at the difference"
