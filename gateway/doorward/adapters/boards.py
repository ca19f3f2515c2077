"""The kinds of boards that there are wirings for: boards/NAME.toml."""

import tomllib
from pathlib import Path

from doorward.app.board_files import BoardProfile
from doorward.errors import NotFound

DEFAULT = "esp32-devkit-door"


def load_profile(folder: Path, name: str) -> BoardProfile:
    """Read one. Raises NotFound, which names those that there are."""
    known = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if name not in known:
        raise NotFound(
            f"there is no board profile {name!r}", f"known: {', '.join(known)}", field="board"
        )
    content = tomllib.loads(known[name].read_text(encoding="utf-8"))
    return BoardProfile(name, content["pins"])
