"""Two runs at once, and names that lead out of the folder where keys wait."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doorward.errors import DoorwardError
from doorward.flash import FlashError, Job, Options, Wifi


class Reached(Exception):
    """The job got as far as the gateway and the board."""


class Gateway:
    def boards(self) -> list[dict[str, Any]]:
        raise Reached

    def adopt(self, name: str, profile: str, broker: str | None, *, again: bool) -> dict[str, Any]:
        raise AssertionError((name, profile, broker, again))


Make = Callable[..., Job]


@pytest.fixture
def job(tmp_path: Path) -> Make:
    options = Options(
        "door-esp32",
        "esp32",
        {},
        ["door-esp32"],
        "front",
        tmp_path / "firmware",
        tmp_path / "data" / "flash",
        lambda: Wifi("home", "password"),
    )

    def make(
        name: str = "front", port: str = "/dev/ttyUSB0", gateway: Gateway | None = None
    ) -> Job:
        wanted = replace(options, name=name)
        return Job(wanted, port, [], gateway or Gateway(), lambda _: None, lambda *_: None)

    return make


@pytest.mark.parametrize("run", [Job.run, Job.look])
def test_a_second_run_at_the_port_or_for_the_board_waits(
    job: Make, run: Callable[[Job], object]
) -> None:
    refusals: list[str] = []

    class Meanwhile(Gateway):
        def boards(self) -> list[dict[str, Any]]:
            for other in (job("back"), job("front", "/dev/ttyUSB1")):
                with pytest.raises(FlashError) as refused:
                    run(other)
                refusals.append(str(refused.value.field))
            with pytest.raises(Reached):
                run(job("back", "/dev/ttyUSB1"))
            raise Reached

    for _ in range(2):  # the first is over then
        with pytest.raises(Reached):
            run(job(gateway=Meanwhile()))
    assert refusals == ["port", "name"] * 2


@pytest.mark.parametrize("name", ["../..", "..", "", "a/b", "front door", "x" * 33, "a\n"])
@pytest.mark.parametrize("run", [Job.run, Job.look])
def test_what_is_no_name_is_refused_before_anything_is_asked(
    job: Make, run: Callable[[Job], object], name: str, tmp_path: Path
) -> None:
    with pytest.raises(DoorwardError) as refused:
        run(job(name))
    assert refused.value.field == "name"
    assert list(tmp_path.iterdir()) == []
