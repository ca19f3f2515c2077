"""Board profiles: boards/NAME.toml, checked, compiled to what a board reads, and drawn for whoever solders it."""

from doorward.boards.compiled import compiled
from doorward.boards.files import load, names, read
from doorward.boards.lint import Finding, lint
from doorward.boards.schema.profile import Profile

__all__ = ["Finding", "Profile", "compiled", "lint", "load", "names", "read"]
