# Some of the power cuts that bench/powercut.py makes, at operations that a seed picks; and the mutants.

import random

import cut_mutants
from cut_cases import CASES, Ring, Segments
from cut_sweep import endure, new_tally, sweep, wrong

SHARE = {"Segments": 0.008, "Ring": 0.06, "Unlock": 0.15}


def test_whenever_the_power_goes_nothing_that_counts_is_lost():
    random.seed(5)
    tally = new_tally()
    for case in CASES:
        share = SHARE.get(case.__name__, 0.25)
        for _ in sweep(case, tally, lambda _operation: random.random() < share):
            pass
    assert not wrong(tally), tally
    assert tally["cuts"] > 50, tally


def test_cut_after_cut_the_log_is_one_log():
    random.seed(6)
    tally = new_tally()
    for case in (Ring, Segments):
        for _ in endure(case, tally, random.randrange, 8):
            pass
    assert not wrong(tally), tally
    assert tally["cuts"] > 12, tally


def test_every_mutant_is_caught():
    missed = [mutant.__name__ for mutant in cut_mutants.MUTANTS if not mutant()]
    assert not missed, missed
