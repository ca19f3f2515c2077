"""The kinds of boards that there are wirings for: boards/NAME.toml."""

from pathlib import Path

from doorward import boards
from doorward.app.devices.files import BoardProfile
from doorward.boards.compiled import cap_s
from doorward.errors import InvalidInput

DEFAULT = "door-esp32"


def load_profile(folder: Path, name: str) -> BoardProfile:
    """Read one. Raises NotFound, which names those that there are, and InvalidInput for one that would not work."""
    profile = boards.load(folder, name)
    for finding in boards.lint(profile):
        problem = f"{name}: {finding.field}: {finding.why}"
        raise InvalidInput(problem, f"see `doorward board lint {name}`", field="board")
    compiled = boards.compiled(profile)
    return BoardProfile(name, compiled["role"], compiled["pins"], cap_s(profile) * 1000)
