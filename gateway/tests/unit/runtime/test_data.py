"""Where firmware and boards are found."""

from pathlib import Path

from doorward.data import data_root


def test_in_the_source_tree(tmp_path: Path) -> None:
    (tmp_path / "firmware").mkdir()
    (tmp_path / "pyproject.toml").touch()
    package = tmp_path / "gateway" / "doorward"
    assert data_root(package, tmp_path) == tmp_path


def test_in_an_installed_package(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "doorward"
    assert data_root(package, tmp_path) == package / "_data"


def test_right_now() -> None:
    assert (data_root() / "firmware").is_dir()
