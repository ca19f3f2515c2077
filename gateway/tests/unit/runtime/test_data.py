"""Where firmware and boards are found."""

from pathlib import Path

import pytest

from doorward.data import data_root
from doorward.runtime.demo import site as demosite
from doorward_lab import LabError, places


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
    assert (data_root() / "boards").is_dir()
    assert places.shim() == data_root() / "lab" / "shim"


def test_a_demo_is_wired_as_the_board_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "boards").mkdir()
    shipped = (data_root() / "boards" / "door-esp32.toml").read_text()
    moved = shipped.replace("pin = 25", "pin = 4")
    (tmp_path / "boards" / "door-esp32.toml").write_text(moved)
    monkeypatch.setattr(demosite, "data_root", lambda: tmp_path)
    assert demosite.pins()["strike"]["pin"] == 4


def test_an_installation_without_the_chip_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "data_root", lambda: tmp_path)
    with pytest.raises(LabError, match=r"lab/shim is not in .*; install doorward again"):
        places.shim()
