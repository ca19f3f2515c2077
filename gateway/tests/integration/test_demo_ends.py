"""A demo whose virtual boards are gone does not pretend to be one."""

from pathlib import Path

from demos import PYTHON, Demo


def test_a_demo_ends_when_its_lab_does_and_names_its_log(tmp_path: Path) -> None:
    with Demo(tmp_path / "d", doorward=PYTHON) as demo:
        demo.online()
        demo.lab(op="stop")
        assert demo.process.wait(20) == 1
        assert demo.leftovers() == []
        assert f"the virtual boards ended; look into {demo.data}/logs/lab.log" in demo.log()
