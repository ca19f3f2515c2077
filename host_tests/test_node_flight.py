# The flight recorder, its copy after a crash, and what of it comes into the log.

import binascii
import struct

from scratch import folder

from doorward_core.compat import ticks_add
from doorward_node import crash, files, flight

LAST = (1 << 30) - 1


class Chip:
    def __init__(self, now=LAST - 1000):
        self.now = now
        self.kept = b""
        flight.buffer[:] = b"dw\0\0" + bytes(1200)
        flight.begin(self.ticks, self.keep)

    def ticks(self):
        return self.now

    def keep(self, data):
        self.kept = bytes(data)

    def wait(self, ms):
        self.now = ticks_add(self.now, ms)

    def close(self):
        flight.begin(None, None)


class Log:
    def __init__(self):
        self.said = []

    def __call__(self, kind, data):
        self.said.append((kind, data))

    def notes(self):
        # (code, ticks of 64 ms, value) of all parts.
        assert [d["part"] for _, d in self.said] == list(range(1, len(self.said) + 1))
        assert all(d["of"] == len(self.said) for _, d in self.said)
        whole = b"".join([binascii.a2b_base64(d["notes"]) for _, d in self.said])
        found = []
        for at in range(0, len(whole), 6):
            code, high, low, value = struct.unpack("<BBHH", whole[at : at + 6])
            found.append((code, high << 16 | low, value))
        return found


def told(path, failed=True, memory=b""):
    log = Log()
    crash.tell(path, failed, memory, log)
    return log.notes()


def test_the_last_200_are_there_in_order_over_the_wrap_of_ticks_and_of_the_ring():
    chip = Chip()
    for number in range(450):
        flight.note(4, number)
        chip.wait(64)
    path = folder() + "/flight"
    crash.save(path, flight.buffer)
    chip.close()
    notes = told(path)
    assert [value for _, _, value in notes] == list(range(250, 450))
    times = [time for _, time, _ in notes]
    assert all((times[i + 1] - times[i]) % (1 << 24) == 1 for i in range(199))
    assert chip.kept == bytes(flight.buffer)


def test_repeats_take_no_room_and_texts_are_sums():
    chip = Chip(6400)
    for _ in range(1000):
        flight.note(16, "door.open")
        chip.wait(64)
    flight.note(6, -2)
    flight.note(7)
    flight.note(7)
    path = folder() + "/flight"
    crash.save(path, flight.buffer)
    chip.close()
    assert told(path) == [
        (16, 100 + 999, sum(b"door.open")),
        (6, 100 + 1000, 0xFFFE),
        (7, 100 + 1000, 0),
    ]


def test_it_is_told_once():
    chip = Chip()
    flight.note(1, 3)
    path = folder() + "/flight"
    crash.save(path, flight.buffer)
    chip.close()
    assert len(told(path)) == 1
    assert told(path, True, chip.kept) == []


def test_a_board_that_hung_tells_from_the_memory_that_a_reset_leaves():
    chip = Chip()
    flight.note(4, 777)
    chip.close()
    path = folder() + "/flight"
    assert told(path, False, chip.kept) == []  # somebody pressed the button
    for damaged in (b"", chip.kept[:-1], b"xx" + chip.kept[2:], bytes(1204)):
        assert told(path, True, damaged) == []
    assert [value for _, _, value in told(path, True, chip.kept)] == [777]


def test_a_board_that_failed_without_room_for_a_copy_tells_as_well():
    chip = Chip()
    flight.note(4, 5)
    flight.note(2)
    chip.close()
    assert [code for code, _, _ in told(folder() + "/flight", False, chip.kept)] == [4, 2]


def test_one_that_fails_at_every_start_tells_once_in_ten_minutes_of_life():
    path = folder() + "/flight"
    for minutes, says in ((0, True), (0, False), (9, False), (10, True), (3, False), (400, True)):
        for hangs in (False, True):
            chip = Chip()
            flight.note(1, minutes)
            flight.lived(minutes * 60 + 59)
            if not hangs:
                crash.save(path, flight.buffer)
            chip.close()
            found = told(path, hangs, chip.kept)
            # The second of each pair lived as long, but one has just been told.
            assert bool(found) == (says if not hangs else minutes >= 10), (minutes, hangs)


def test_nothing_is_kept_before_it_begins():
    chip = Chip()
    chip.close()
    flight.note(4, 1)
    assert flight.buffer[2] == 0 and not chip.kept


def test_an_entry_of_the_log_stays_short_and_a_full_flash_tells_nothing():
    chip = Chip()
    for number in range(300):
        flight.note(4, number)
    chip.close()
    log = Log()
    crash.tell(folder() + "/no/such/folder", True, chip.kept, log)
    assert log.said == []
    crash.tell(folder() + "/flight", True, chip.kept, log)
    assert len(log.said) == 5 and all(len(data["notes"]) == 320 for _, data in log.said)
    assert files.read("/no/such") is None
