"""A board's traceback in the words of those who wrote its program."""

import json
import re
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from doorward.errors import InvalidInput
from doorward.firmware.program import Called


class _Names(NamedTuple):
    version: str
    called: Called


_NAMES = TypeAdapter(_Names)

# What MicroPython says. Boards keep no numbers of lines: it is always 1.
_FRAME = re.compile(r'( *File "([\w.]+)"), line 1, in (\w+)')
_CLASS = re.compile(r"(?<=')\w+(?=' object)")
_NAME = re.compile(
    r"(?<=has no attribute ')\w+|(?<=name ')\w+|(?<=argument ')\w+|(?<=can't import name )\w+"
    r"|(?<=Error: )\w+(?=\(\))"
)


def explain(text: str, called: Called) -> str:
    """Return `text` with a program's own names. Where a short one is one of several, all are told.

    An error is looked up in the module of the last frame before it; without one, in all.
    """
    module = None
    lines = []
    for line in text.splitlines():
        frame = _FRAME.fullmatch(line)
        if frame:
            module = frame[2]
            lines.append(_frame(frame[1], module, called.get(module, {}).get(frame[3], [frame[3]])))
        else:
            lines.append(_error(line, module, called))
    return "\n".join(lines)


def _frame(before: str, module: str, names: list[str]) -> str:
    """A frame; the first of the names is a definition, and so are those that end like it."""
    last = names[0].rpartition(".")[2]
    defined = [name for name in names if name.rpartition(".")[2] == last]
    where, colon, name = names[0].rpartition(":")
    if colon and len(defined) == 1:
        return f"{before.replace(module, where)}, in {name}"
    return f"{before}, in {' or '.join(defined)}"


def names_file(version: str, called: Called) -> bytes:
    """Return what `explain` needs of a version, as one file."""
    content = {"version": version, "called": called}
    return json.dumps(content, indent=0, sort_keys=True).encode()


def read_names(data: bytes) -> Called:
    """Read what `names_file` made. Raises InvalidInput."""
    try:
        return _NAMES.validate_json(data).called
    except ValidationError:
        raise InvalidInput(
            "this is no file of names",
            "name the .names that `doorward firmware bundle` wrote beside the bundle",
            field="names",
        ) from None


def _error(line: str, module: str | None, called: Called) -> str:
    here = list(called.values())
    if module is not None and module in called:
        here = [called[module]]

    def its_class(found: re.Match[str]) -> str:
        first = [_bare(names[found[0]][0]) for names in called.values() if found[0] in names]
        return _either([name for name in first if name[0].isupper() and "." not in name], found[0])

    def its_name(found: re.Match[str]) -> str:
        own = [_bare(name).rpartition(".")[2] for names in here for name in names.get(found[0], ())]
        return _either(own, found[0])

    return _NAME.sub(its_name, _CLASS.sub(its_class, line))


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


def _either(names: list[str], otherwise: str) -> str:
    return " or ".join(sorted(set(names))) or otherwise
