# Firmware with a mistake in it that only shows when the power goes: each has to be caught.

import os

import vfs
from cut_cases import Ring, Segments, Tries, Unlock
from cut_sweep import ROOT, Files, new_tally, sweep, wrong

from doorward_drivers.strike import Strike
from doorward_node import files, ring, segments
from doorward_node.lockout import Lockout


def _changed(owner, name, value, case):
    # Whether any cut shows that owner.name is another one.
    kept = getattr(owner, name)
    setattr(owner, name, value)
    tally = new_tally()
    try:
        for _ in sweep(case, tally, kinds=(True, False)):
            if wrong(tally):
                return True
    except Exception:  # noqa: BLE001 - a board that does not come up again is caught, too
        return True
    finally:
        setattr(owner, name, kept)
    return wrong(tally) > 0


def lockout_in_ram():
    return _changed(Lockout, "_persist", lambda gate: True, Tries)


def counter_after_effect():
    persist = Lockout._persist

    def late(gate):
        if gate._state.phase != "checking":
            persist(gate)
        return True

    return _changed(Lockout, "_persist", late, Tries)


def removed_before_replaced():
    replace = files.replace

    def remove_first(path, data):
        files.remove(path)
        replace(path, data)

    return _changed(files, "replace", remove_first, Tries)


def no_crc():
    return _changed(ring, "check", lambda _seq, _body: 0, Ring)


def fat():
    return _changed(Files, "system", vfs.VfsFat, Segments)


def removed_before_noted():
    remove = segments.Segments._remove

    def too_early(store, count):
        files.remove(store._path(store._segments[0]))
        remove(store, count)

    return _changed(segments.Segments, "_remove", too_early, Segments)


def unlock_remembered():
    energise, make = Strike.energise, Strike.__init__

    def begin(strike, pin, active, cap_ms):
        make(strike, pin, active, cap_ms)
        if "released" in os.listdir(ROOT):
            energise(strike)

    def remember(strike):
        with open(ROOT + "/released", "w"):
            energise(strike)

    Strike.energise = remember
    try:
        return _changed(Strike, "__init__", begin, Unlock)
    finally:
        Strike.energise = energise


MUTANTS = (
    lockout_in_ram,
    counter_after_effect,
    removed_before_replaced,
    no_crc,
    fat,
    removed_before_noted,
    unlock_remembered,
)
