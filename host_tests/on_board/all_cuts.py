# Cuts the power at every operation of a board's flash, in this process: micropython all_cuts.py [SEED]
#
# One line a sweep as it ends, "name cuts wrong", and the figures as JSON in the end. bench/powercut.py
# runs it.

import json
import random
import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
TREES = ("", "/..", "/../../firmware", "/../../lab/shim")
sys.path[:0] = [HERE + tree for tree in TREES]

import cut_cases  # noqa: E402 - from the paths above
import cut_mutants  # noqa: E402 - ditto
import cut_sweep  # noqa: E402 - ditto
import slots  # noqa: E402 - ditto
import test_install  # noqa: E402 - ditto

CUTS_IN_A_ROW = 100
EVENTS = 200


def say(name, tally, before):
    print(name, tally["cuts"] - before["cuts"], cut_sweep.wrong(tally) - cut_sweep.wrong(before))


def sweeps(tally):
    for case in cut_cases.CASES:
        before = dict(tally)
        for _ in cut_sweep.sweep(case, tally):
            pass
        say(case.__name__, tally, before)
    for case in (cut_cases.Ring, cut_cases.Segments):
        before = dict(tally)
        for _ in cut_sweep.endure(case, tally, random.randrange, CUTS_IN_A_ROW):
            pass
        say(case.__name__ + " in a row", tally, before)


def updates(tally):
    # slots.cuts() raises AssertionError where half a firmware would run.
    before = dict(tally)
    for _operation, _torn, ran, then in slots.cuts():
        tally["cuts"] += 1
        if ran not in ("1.0", "2.0") or then != "2.0":
            tally["half_updates"] += 1
    say("update", tally, before)


def mutants():
    caught = 0
    tests = (
        test_install.test_an_installer_that_trusts_the_size_is_caught,
        test_install.test_an_installer_that_switches_first_is_caught,
    )
    for mutant in cut_mutants.MUTANTS:
        found = mutant()
        caught += found
        print(mutant.__name__, "caught" if found else "MISSED")
    for test in tests:
        test()
        caught += 1
        print(test.__name__[5:])
    return {"mutants": len(cut_mutants.MUTANTS) + len(tests), "mutants_caught": caught}


def wear():
    # What an event costs that is written, sent and acknowledged; sectors as on a chip.
    figures = {}
    cut_sweep._SECTOR = cut_sweep.BLOCK
    cut_sweep._SECTORS = bytearray(6 * cut_sweep.BLOCK)
    for case, name in ((cut_cases.Ring, ""), (cut_cases.Segments, "file_")):
        log = case()
        flash = log.on.flash
        before = flash.programs, flash.erases
        log._write(EVENTS)
        figures[name + "programs_per_event"] = round((flash.programs - before[0]) / EVENTS, 3)
        figures[name + "erases_per_event"] = round((flash.erases - before[1]) / EVENTS, 3)
    return figures


random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
result = cut_sweep.new_tally()
sweeps(result)
updates(result)
result.update(mutants())
result.update(wear())
print(json.dumps(result))
