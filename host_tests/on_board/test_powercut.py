# Some of the power cuts that bench/powercut.py makes, at operations that a seed picks; and the mutants.

import random

import cut_mutants
from cut_cases import CASES, Ring, Segments, endure, new_tally, sweep, wrong

SHARE = {"Segments": 0.015, "Ring": 0.1, "Unlock": 0.2}


def test_whenever_the_power_goes_nothing_that_counts_is_lost():
    random.seed(5)
    tally = new_tally()
    for case in CASES:
        share = SHARE.get(case.__name__, 0.3)
        for _ in sweep(case, tally, lambda _operation: random.random() < share):
            pass
    assert not wrong(tally), tally
    assert tally["cuts"] > 60, tally


def test_cut_after_cut_the_log_is_one_log():
    random.seed(6)
    tally = new_tally()
    for case in (Ring, Segments):
        for _ in endure(case, tally, random.randrange, 10):
            pass
    assert not wrong(tally), tally
    assert tally["cuts"] > 15, tally


def test_every_mutant_is_caught():
    missed = [mutant.__name__ for mutant in cut_mutants.MUTANTS if not mutant()]
    assert not missed, missed
