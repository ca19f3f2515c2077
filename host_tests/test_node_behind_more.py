# A log that is behind, where it is hard: it has entries that the gateway never got, little room, or spoilt ones.

from bad_flash import BadFlash
from one_log import Epochs, Gateway, write
from test_node_behind import InFiles, OnFlash, catch_up, note, told


class OnSmallFlash(OnFlash):
    def __init__(self):
        super().__init__()
        self.flash = BadFlash(4)


def _numbers(gateway):
    return [event["data"]["n"] for event in told(gateway) if event["type"] == "door.forced"]


def _forced(log, first, end):
    for number in range(first, end):
        note(log, "door.forced", n=number)


def test_what_it_noted_before_this_start_and_nobody_has_is_told_too():
    for place in (OnFlash(), InFiles()):
        log, gateway = place.open(), Gateway()
        write(log, 30)
        gateway.drain(log)
        place.keep()
        write(log, 10)
        gateway.drain(log)
        place.lose(log)
        _forced(
            place.open(), 0, 30
        )  # nobody is there; ten of these have numbers that the gateway knows
        log = place.open()
        assert log.store.seq == 60 and gateway.newest == 40
        catch_up(log, gateway)
        assert _numbers(gateway) == list(range(10, 30))


def test_without_room_for_two_of_each_none_is_told_twice():
    for over in (False, True):
        place = OnSmallFlash()
        log, gateway = place.open(), Epochs()
        write(log, 5)
        place.keep()
        write(log, 5)
        gateway.greet(log)
        gateway.drain(log)
        if over:
            other = InFiles().open()
            write(other, 1)
            gateway.drain(other)
        place.lose(log)
        log = place.open()
        _forced(log, 0, 60)
        catch_up(log, gateway)
        numbers = _numbers(gateway)
        assert 10 < len(numbers) < 60 and numbers[-1] == 59, numbers
        assert numbers == sorted(set(numbers)), numbers


def test_a_spoilt_entry_is_not_the_end_of_those_behind_it():
    place = InFiles()
    log, gateway = place.open(), Gateway()
    write(log, 5)
    place.keep()
    write(log, 5)
    gateway.drain(log)
    place.lose(log)
    log = place.open()
    _forced(log, 0, 4)
    path = place.path + "/00000001.log"
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    lines[6] = b"\xff" * len(lines[6])
    with open(path, "wb") as file:
        file.write(b"\n".join(lines))
    catch_up(log, gateway)
    assert _numbers(gateway) == [0, 2, 3]
