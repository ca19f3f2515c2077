"""Board profiles for tests: the shipped ones, and copies of them with something changed."""

import copy
import re
import tomllib
from typing import Any

from doorward import boards
from doorward.boards.files import parse
from doorward.boards.schema.profile import Profile
from doorward.data import data_root

FOLDER = data_root() / "boards"
NAMES = boards.names(FOLDER)

Content = dict[str, Any]


def content(name: str) -> Content:
    """A shipped profile as its file says it."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text())


def changed(profile: Content, field: str, value: object) -> Content:
    """A copy in which `field` (strike.pin, keypad.rows[1]) is something else; None takes it out."""
    result = copy.deepcopy(profile)
    steps = [int(word) if word.isdecimal() else word for word in re.findall(r"[^.\[\]]+", field)]
    place: Any = result
    for step in steps[:-1]:
        place = place[step]
    if value is None:
        del place[steps[-1]]
    else:
        place[steps[-1]] = value
    return result


def parsed(profile: Content) -> Profile:
    return parse(profile)
