# A partition whose cells or sectors fail for good: the log goes on in what is left of it, and the door goes on anyway.

import json

from bad_flash import BadFlash
from one_log import Gateway, on_flash, write

_SECTORS = 5


def _spoil(flash, fault, sectors):
    for sector in sectors:
        if fault == "deaf":
            flash.deaf.add(sector)
        elif fault == "silent":
            flash.silent.add(sector)
        else:
            flash.raising.add((fault, sector))


def _lap(log, gateway):
    # Once round and more, heard at once.
    for _ in range(24):
        write(log, 5)
        if log.renewed:
            gateway.greet(log)
        gateway.drain(log)
    for _ in range(4):
        log.flush()
    gateway.drain(log)


def test_a_sector_that_fails_for_good_costs_its_room_and_nothing_else():
    for fault in ("w", "e", "deaf", "silent", "r"):
        for sector in range(_SECTORS):
            for worn in (False, True):
                flash = BadFlash(_SECTORS)
                gateway = Gateway()
                if worn:  # it holds something of an earlier lap
                    _lap(on_flash(flash), gateway)
                _spoil(flash, fault, (sector,))
                for _ in range(2):
                    log = on_flash(flash.again())
                    gateway.greet(log)
                    before = len(gateway.seqs)
                    _lap(log, gateway)
                    case = fault, sector, worn
                    assert gateway.newest == log.store.seq, case
                    assert len(gateway.seqs) - before == 120, (case, gateway.gaps)
                    counted = [body for body in gateway.bodies.values() if b'"count"' in body]
                    assert not counted, (case, "was not written anywhere else")


def test_a_partition_that_takes_nothing_costs_events_and_not_what_it_holds():
    # They are counted, and told when it takes something again; what stands in it is told meanwhile.
    for fault in ("w", "e", "deaf", "silent"):
        flash = BadFlash(_SECTORS)
        log, gateway = on_flash(flash), Gateway()
        write(log, 50)
        held = log.store.seq
        _spoil(flash, fault, range(_SECTORS))
        write(log, 40)
        gateway.drain(log)
        told = json.loads(gateway.bodies[1])["data"]
        assert told == {"n": 1} and gateway.newest >= held, fault
        flash.raising, flash.deaf, flash.silent = set(), set(), set()
        for _ in range(2000):
            log.flush()
        gateway.drain(log)
        counts = [json.loads(body)["data"].get("count", 0) for body in gateway.bodies.values()]
        missing = sum(counts) + sum([last - first + 1 for first, last in gateway.gaps])
        assert gateway.newest == log.store.seq and missing == 90 - len(
            [body for body in gateway.bodies.values() if b"door.open" in body]
        ), (fault, counts, gateway.gaps)


def test_a_full_partition_that_takes_nothing_any_more_loses_one_sector_of_it_and_no_more():
    # Nothing was acknowledged; all of it is room for what is new, and none may be spent on writes that fail.
    for fault in ("w", "deaf", "silent"):
        flash = BadFlash(8)
        log = on_flash(flash)
        write(log, 300)
        was = Gateway()
        was.drain(on_flash(BadFlash(0, bytearray(flash.cells))))
        first = log.store.tail_ends - log.store.settled[0] - 1
        assert was.gaps and len(was.seqs) > 6 * first > 60, "more than a lap"
        _spoil(flash, fault, range(8))
        write(log, 60)
        gateway = Gateway()
        gateway.drain(log)
        assert len(gateway.seqs) >= len(was.seqs) - first, (fault, len(gateway.seqs))
        flash.raising, flash.deaf, flash.silent = set(), set(), set()
        for _ in range(2000):
            log.flush()
        write(log, 300)
        gateway.drain(log)
        assert gateway.newest == log.store.seq, fault


def test_a_log_knows_whether_its_last_write_was_refused():
    # What RAM had no room for is counted, too, and says nothing of the flash.
    flash = BadFlash(_SECTORS)
    log = on_flash(flash)
    for _ in range(40):
        log.add("door.open", {})
    assert log._dropped and log._pause <= 0
    _spoil(flash, "w", range(_SECTORS))
    write(log, 1)
    assert log._dropped and log._pause > 0
    flash.raising = set()
    log.flush()
    assert not log._dropped and log._pause <= 0


def test_a_partition_that_cannot_be_read_is_no_reason_not_to_start():
    flash = BadFlash(_SECTORS)
    write(on_flash(flash), 40)
    _spoil(flash, "r", range(_SECTORS))
    log = on_flash(flash.again())
    write(log, 3)
    assert log.upload() is None and log.store.seq == 0
