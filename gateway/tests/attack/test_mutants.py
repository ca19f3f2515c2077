"""Every aimed attack fails, and works as soon as the defence that it is aimed at is gone."""

from pathlib import Path

import pytest

from attack.mutants import MUTANTS
from attack.mutation import Mutant, build, caught
from attack.scenarios import SCENARIOS, Scenario
from attack.site import Site


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
async def test_the_attack_fails(scenario: Scenario, tmp_path: Path, cache: Path) -> None:
    async with Site(tmp_path / "site", cache) as site:
        await scenario(site)


@pytest.mark.timeout(600)  # each loads a program of its own: a busy machine takes minutes
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
async def test_the_attack_works_without_the_defence(
    mutant: Mutant, tmp_path: Path, cache: Path
) -> None:
    assert await caught(mutant, tmp_path, cache) is not None


def test_each_scenario_is_one_that_a_mutant_cannot_pass() -> None:
    assert {mutant.scenario for mutant in MUTANTS} == set(SCENARIOS)


def test_a_mutant_whose_text_is_gone_is_an_error(tmp_path: Path) -> None:
    stale = Mutant("stale", "old_grant", (("firmware/main.py", "no such text", ""),))
    with pytest.raises(ValueError, match="0 times"):
        build(stale, tmp_path)
