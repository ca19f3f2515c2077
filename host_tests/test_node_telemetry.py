# What only measures takes half of the log and no more, in files and on a partition.

import json

from one_log import Gateway, in_files, on_flash, partition, write
from scratch import folder


def logs():
    return in_files(folder()), on_flash(partition())


def flood(log, count):
    for _ in range(count):
        log.add("motion", {})
        log.flush()


def kinds(gateway):
    return [json.loads(body)["type"] for _seq, body in sorted(gateway.bodies.items())]


def test_nobody_drives_what_matters_out_of_the_log_by_walking_up_and_down():
    for log in logs():
        log.add("tamper", {})
        log.flush()
        flood(log, 1500)
        held = log.store.seq
        write(log, 3)
        gateway = Gateway()
        gateway.drain(log)
        assert not gateway.gaps and gateway.seqs[0] == 1
        assert kinds(gateway).count("tamper") == 1 and kinds(gateway)[-3:] == ["door.open"] * 3
        assert kinds(gateway).count("motion") == held - 1
        # Now there is room, and it is told how many there were.
        flood(log, 1)
        gateway.drain(log)
        assert kinds(gateway)[-2:] == ["lost", "motion"]
        told = json.loads(gateway.bodies[gateway.newest - 1])["data"]
        assert told == {"count": 1500 - (held - 1)}


def test_security_has_half_of_the_room_at_least():
    for log in logs():
        log.add("tamper", {})
        log.flush()
        flood(log, 1500)
        half = log.store.seq
        write(log, half * 3 // 4)
        gateway = Gateway()
        gateway.drain(log)
        assert not gateway.gaps and "tamper" in kinds(gateway)


def test_motion_takes_no_more_than_half_of_the_notes():
    for log in logs():
        for _ in range(40):
            log.add("motion", {})
        for _ in range(16):
            log.add("door.forced", {})
        while log._notes:
            log.flush()
        gateway = Gateway()
        gateway.drain(log)
        assert kinds(gateway).count("door.forced") == 16
        assert kinds(gateway).count("motion") == 16
