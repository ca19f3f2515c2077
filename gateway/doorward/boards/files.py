"""Profiles as files: boards/NAME.toml."""

import difflib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from doorward.boards.schema.profile import Profile
from doorward.errors import InvalidInput, NotFound

# What pydantic puts into a path to tell which kind of a part it has tried.
_KINDS = {"mfrc522", "pn532 spi", "pn532 i2c", "wiegand", "matrix", "servo", "solenoid"}
_KINDS |= {"white", "tunable white"}


def names(folder: Path) -> list[str]:
    """The profiles that there are, in order."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(folder: Path, name: str) -> Profile:
    """Read one by its name. Raises NotFound, which names those that there are, and InvalidInput as `read`."""
    known = names(folder)
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise NotFound(
            f"there is no board profile {name!r}", f"{hint}known: {', '.join(known)}", field="board"
        )
    return read(folder / f"{name}.toml")


def read(path: Path) -> Profile:
    """Read a file. Raises NotFound when there is none, and InvalidInput with the field that is wrong."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(
            f"{path}: no such file", "see `doorward board list`", field="board"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InvalidInput(
            f"{path}: cannot be read ({why})", "give a TOML file", field="file"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{path}: no TOML: {error}", "mend that line", field="file") from None
    return parse(content, str(path))


def parse(content: dict[str, Any], place: str = "profile") -> Profile:
    """Check a profile's words and numbers. Raises InvalidInput, which names the first field that is wrong."""
    try:
        return Profile.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = _field(first["loc"])
        raise InvalidInput(
            f"{place}: {field or 'profile'}: {_said(dict(first))}",
            "docs/boards.md lists what a profile says",
            field=field or None,
        ) from None


def _field(location: tuple[int | str, ...]) -> str:
    words = [word for word in location if word not in _KINDS]
    path = "".join(f"[{word}]" if isinstance(word, int) else f".{word}" for word in words)
    return path.removeprefix(".")


def _said(error: dict[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such field"
    if error["type"] == "missing":
        return "it is missing"
    value = error.get("input")
    told = f"{value!r}: " if isinstance(value, str | int | float) else ""
    said: str = error["msg"]
    return told + said.removeprefix("Input ")
