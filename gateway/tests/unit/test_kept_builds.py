"""What tests keep of compiled firmware is what would be made."""

import os
import shutil
from pathlib import Path

import kept_builds
import pytest

from doorward.data import data_root
from doorward.firmware import ready
from doorward.firmware.mpy import DoesNotCompile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is kept yet."""
    folder = tmp_path / "builds"
    folder.mkdir()
    monkeypatch.setattr(kept_builds, "FOLDER", folder)
    return folder


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    real, firmware = data_root() / "firmware", tmp_path / "firmware"
    for name in ("doorward_core", "doorward_drivers", "doorward_node"):
        (firmware / name).mkdir(parents=True)
        (firmware / name / "__init__.py").write_text("")
    shutil.copy(real / "doorward_core/topics.py", firmware / "doorward_core")
    shutil.copy(real / "main.py", firmware)
    return firmware


def test_it_is_what_would_be_made_also_after_a_change(folder: Path, firmware: Path) -> None:
    changed = firmware / "doorward_core" / "topics.py"
    for source in (changed.read_text(), changed.read_text() + "\nanother_name = 1\n"):
        changed.write_text(source)
        first, again = ready.compile_folder(firmware), ready.compile_folder(firmware)
        with kept_builds.made_anew():
            assert ready.compile_folder(firmware) == first == again
    # Two programs, and what is in their modules: of the three empty ones each has a name of its own.
    assert len(list(folder.iterdir())) == 2 + 3 + 2


def test_what_is_kept_is_taken(folder: Path, firmware: Path) -> None:
    ready.compile_folder(firmware)
    compiled = [path for path in folder.iterdir() if path.read_bytes()[:1] == b"M"]
    for path in compiled:
        path.write_bytes(b"kept")
    files, _called = ready.compile_folder(firmware)
    assert set(files.values()) == {b"kept"}


def test_what_does_not_compile_is_not_kept(folder: Path, firmware: Path) -> None:
    (firmware / "doorward_core" / "topics.py").write_text("x = (\n")
    for _ in range(2):
        with pytest.raises(DoesNotCompile):
            ready.compile_folder(firmware)
    assert not list(folder.iterdir())


def test_what_nobody_wants_any_more_goes(folder: Path, firmware: Path) -> None:
    ready.compile_folder(firmware)
    before = set(folder.iterdir())
    for path in before:
        os.utime(path, (0, 0))
    old = folder / "old"
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    ready.compile_folder(firmware)
    kept_builds.tidy()
    assert set(folder.iterdir()) == before
