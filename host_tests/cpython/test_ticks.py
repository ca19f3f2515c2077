"""Nothing that runs on a board reckons with ticks as if they were numbers, nor with fractions where they count.

Ticks wrap, at 2^30 on an ESP32, and a float there has 24 bits: the time of day in one is two minutes wrong.

The tests of each module run with ticks that wrap while they do (host_tests/run.py); here nobody forgets it.
"""

import ast
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[2] / "firmware"
FILES = sorted(path for path in FIRMWARE.rglob("*.py") if not path.name.startswith("gateway_"))
# What is always in ticks here: the name, and what these functions return.
NOW = "now"
ASKED = frozenset({"ticks_ms", "ticks_us"})
# What tells another time, or is set by others: nobody but the gateway knows the time.
FOREIGN_TIMES = frozenset({"ntptime", "time_ns", "localtime", "gmtime", "mktime"})


def in_ticks(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == NOW
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in ASKED
    return False


def reckoned(source: str) -> list[int]:
    """The lines that add, subtract or compare ticks."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
                parts = [left, right]
            case ast.Compare(left=left, ops=ops, comparators=others) if not all(
                isinstance(op, ast.Is | ast.IsNot) for op in ops
            ):
                parts = [left, *others]
            case ast.AugAssign(target=target, value=value):
                parts = [target, value]
            case _:
                continue
        if any(in_ticks(part) for part in parts):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_ticks_are_added_and_compared_by_their_own_functions(path: Path) -> None:
    assert not reckoned(path.read_text())


def test_what_is_looked_for_is_found() -> None:
    wrong = ("x = now - since", "y = since + ticks_ms()", "z = 5 < now", "now += 3", "a.now > b")
    for line in wrong:
        assert reckoned(line) == [1], line
    for line in ("ticks_diff(now, since) > 5", "x = now", "deadline is now", "ticks_add(now, 5)"):
        assert not reckoned(line), line


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_the_time_comes_from_the_gateway_alone_and_no_access_point_is_opened(path: Path) -> None:
    names = {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import | ast.ImportFrom)
            else [node.attr]
            if isinstance(node, ast.Attribute)
            else []
        )
    }
    assert not names & FOREIGN_TIMES
    assert not names & {"AP_IF", "IF_AP"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_fractions_are_for_lamps_alone(path: Path) -> None:
    found = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"float", "round"})
    ]
    assert not found or path.name == "lamp.py"
