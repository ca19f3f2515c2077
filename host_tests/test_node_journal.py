# The log in files: order, digests, restarts, and that only an acknowledgement frees anything.

import os

from one_log import Gateway, write
from one_log import in_files as open_log
from scratch import folder

from doorward_core import seal


def test_events_arrive_in_order_with_an_unbroken_chain():
    log, gateway = open_log(folder()), Gateway()
    write(log, 50)
    gateway.drain(log)
    assert gateway.seqs == list(range(1, 51))
    assert not log.waiting()


def test_nothing_is_written_before_flush():
    path = folder()
    log = open_log(path)
    log.add("boot", {})
    assert log.store.seq == 0 and not [name for name in os.listdir(path) if name.endswith(".log")]
    log.flush()
    assert log.store.seq == 1


def test_only_the_acknowledgement_frees():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 40)
    gateway.drain(log, acknowledge=False)
    assert gateway.seqs == list(range(1, 9)), "more than a window was sent unacknowledged"
    assert len([name for name in os.listdir(path) if name.endswith(".log")]) == 3
    log.acknowledged("00000000", 40)
    log.acknowledged(log.store.epoch, 41)
    assert log.waiting(), "an acknowledgement of another log, or of the future, freed something"
    log.acknowledged(log.store.epoch, 8)
    gateway.drain(log)
    assert gateway.seqs == list(range(1, 41))
    assert len([name for name in os.listdir(path) if name.endswith(".log")]) == 1


def test_what_was_not_acknowledged_comes_again_byte_for_byte():
    log = open_log(folder())
    write(log, 5)
    first = [log.upload() for _ in range(5)]
    log.acknowledged(log.store.epoch, 2)
    assert log.upload() is None
    log.rewind()
    assert [log.upload() for _ in range(3)] == first[2:]


def test_a_rewind_says_where_it_goes_on():
    path = folder()
    log, gateway = open_log(path), Gateway()
    assert log.rewind() == (0, seal.CHAIN_START)
    write(log, 5)
    for _ in range(3):
        said = gateway.take(log.upload())
    log.acknowledged(*said)
    assert log.rewind() == (3, gateway.digest)
    gateway.drain(log)
    assert gateway.seqs == list(range(1, 6))


def test_a_gateway_that_forgot_what_it_said_hears_it_again():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 12)
    gateway.drain(log)
    log = open_log(path)
    log.acknowledged(log.store.epoch, 12)  # so it says; and then it is restored from a backup
    place = log.rewind()
    restored = Gateway()
    restored.newest, restored.digest = place
    write(log, 1)
    restored.drain(log)
    assert restored.seqs == list(range(place[0] + 1, 14))


def test_a_restart_goes_on_where_the_log_was():
    path = folder()
    log, gateway = open_log(path), Gateway()
    for _ in range(7):
        write(log, 5)
        payload = log.upload()
        while payload and len(gateway.seqs) % 3 != 2:
            log.acknowledged(*gateway.take(payload))
            payload = log.upload()
        epoch = log.store.epoch
        log = open_log(path)
        assert log.store.epoch == epoch
    write(log, 1)
    gateway.drain(log)
    assert gateway.seqs == list(range(1, 37))


def test_after_a_restart_events_that_the_gateway_has_are_not_all_sent_again():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 12)
    gateway.drain(log)
    log = open_log(path)
    log.acknowledged(*gateway.take(log.upload()))
    assert log.upload() is None
    write(log, 1)
    gateway.drain(log)
    assert gateway.seqs == list(range(1, 14))


def test_half_a_line_is_dropped_and_its_number_used_again():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 3)
    with open(path + "/00000001.log", "ab") as file:
        file.write(b'{"half":')
    log = open_log(path)
    assert log.store.seq == 3
    write(log, 2)
    gateway.drain(log)
    assert gateway.seqs == [1, 2, 3, 4, 5]
    log = open_log(path)
    assert log.store.seq == 5


def test_a_power_cut_between_note_and_removal_loses_nothing():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 20)
    with open(path + "/00000001.log", "rb") as file:
        freed = file.read()
    gateway.drain(log)
    with open(path + "/00000001.log", "wb") as file:
        file.write(freed)
    log = open_log(path)
    write(log, 1)
    gateway.drain(log)
    assert gateway.seqs == list(range(1, 22))


def test_a_full_log_drops_the_oldest_and_says_which():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 8)
    gateway.drain(log)
    write(log, 64 * 16)
    assert log.store.seq == 64 * 16 + 8
    log = open_log(path)
    gateway.drain(log)
    assert gateway.gaps == [(9, 16)]
    assert gateway.seqs == list(range(1, 9)) + list(range(17, 64 * 16 + 9))


def test_more_notes_than_ram_allows_are_counted():
    log = open_log(folder())
    for _ in range(40):
        log.add("door.open", {})
    while log._notes:
        log.flush()
    assert b'"lost"' in log.upload() and b'"count":8' in log.store.body(1)
    assert log.store.seq == 33


def test_an_acknowledgement_writes_nothing_until_the_next_upload():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 17)
    payload = log.upload()
    while payload and len(gateway.seqs) < 16:
        before = sorted(os.listdir(path))
        log.acknowledged(*gateway.take(payload))
        assert sorted(os.listdir(path)) == before, "flash was written while a message came in"
        payload = log.upload()
    assert sorted(os.listdir(path)) != before


def test_a_flash_that_takes_no_more_costs_events_and_nothing_else():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 16)
    os.mkdir(path + "/00000017.log")  # a name that cannot be written to, as a full flash
    write(log, 3)
    assert log.store.seq == 16
    os.rmdir(path + "/00000017.log")
    write(log, 1)
    gateway.drain(log)
    assert gateway.seqs == list(range(1, 19))
    assert b'"lost"' in log.store.body(17) and b'"count":3' in log.store.body(17)


def test_half_an_event_at_the_beginning_of_a_segment_is_written_over():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 16)
    with open(path + "/00000017.log", "wb") as file:
        file.write(b'{"half":')
    log = open_log(path)
    write(log, 2)
    gateway.drain(log)
    assert gateway.seqs == list(range(1, 19))


def test_without_room_for_the_note_of_where_the_log_starts_nothing_is_removed():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 40)
    os.mkdir(path + "/freed.new")
    gateway.drain(log)
    assert "00000001.log" in os.listdir(path)
    assert gateway.seqs == list(range(1, 41)), "what can be read is told all the same"
    again, other = open_log(path), Gateway()
    other.drain(again)
    assert other.seqs == gateway.seqs
    os.rmdir(path + "/freed.new")
    write(log, 1)
    gateway.drain(log)
    assert not log.waiting() and "00000001.log" not in os.listdir(path)


def test_a_log_whose_beginning_is_unknown_is_begun_anew():
    path = folder()
    log, gateway = open_log(path), Gateway()
    write(log, 40)
    gateway.drain(log)
    os.remove(path + "/freed")
    assert "00000001.log" not in os.listdir(path)
    again = open_log(path)
    assert (again.store.epoch != log.store.epoch, again.store.seq) == (True, 0)


def test_a_damaged_log_is_begun_anew_and_the_door_starts():
    for name, content in (
        ("freed", b"garbage"),
        ("freed", b"1 zz"),
        ("epoch", b""),
        ("epoch", b"0123456G"),
        ("abc.log", b"x"),
    ):
        path = folder()
        log = open_log(path)
        write(log, 3)
        former = log.store.epoch
        with open(path + "/" + name, "wb") as file:
            file.write(content)
        log, gateway = open_log(path), Gateway()
        assert log.store.epoch != former and len(log.store.epoch) == 8, name
        write(log, 2)
        gateway.drain(log)
        assert gateway.seqs == [1, 2]
        assert open_log(path).store.epoch == log.store.epoch


def test_without_any_room_there_is_a_door_all_the_same():
    # A directory that cannot be made stands for a flash that takes nothing.
    log = open_log(folder() + "/no/such")
    write(log, 3)
    assert log.store.seq == 0
    assert log.upload() is None
