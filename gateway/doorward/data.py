"""Where the files are that are not Python: in the source tree, or inside the installed package."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SOURCE_TREE = _PACKAGE.parents[1]


def data_root(package: Path = _PACKAGE, source_tree: Path = _SOURCE_TREE) -> Path:
    """The folder with `firmware/`, `boards/` and `lab/shim/`: the source tree, else the package's copy."""
    if (source_tree / "firmware").is_dir() and (source_tree / "pyproject.toml").is_file():
        return source_tree
    return package / "_data"
