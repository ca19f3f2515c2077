# The board's copy of who may pass: pulled in pieces, swapped whole, never older.

import hashlib
import json
import os

from scratch import folder
from support import raises

from doorward_core import gateway_cache, gateway_seal, records_build, schedule, seal, topics
from doorward_node.credentials import Credentials

KEYS = seal.Keys("front", bytes(32))
NOW = 1795257000


_boards = []


def board(path, keys=KEYS):
    _boards.append(Credentials(path, keys))
    return _boards[-1]


def teardown_function(_function):
    # pytest counts open files; a board holds its cache open for as long as it runs.
    while _boards:
        copy = _boards.pop()
        if copy._cache:
            copy._cache.close()


def uid(number):
    return number.to_bytes(7, "big")


def cache_file(version, count, keys=KEYS):
    marks = [(seal.tag(keys, uid(number)), 0, 1) for number in range(count)]
    windows = [(1, 1) + schedule.ALWAYS[0]]
    return records_build.build(
        keys, version, NOW, NOW + 100, NOW + 200, windows, [(None, None, 0)], marks
    )


def config(file, version, digest=None, strike_ms=4000):
    digest = digest or hashlib.sha256(file).digest()
    body = gateway_cache.config(version, len(file), digest, strike_ms, 10000, 30000)
    return body, seal.seal(KEYS, topics.CONFIG, gateway_seal.counter_word(version), body)


def settle(copy):
    # As many turns as the longest check takes; whether one of them put something in force.
    return [True for _ in range(12) if copy.store()]


def pull(copy, file, version, now=0, pieces=1000):
    # Answers what the board asks for; how many pieces it took.
    for count in range(pieces):
        settle(copy)
        wanted = copy.want(now)
        if wanted is None:
            return count
        offset = int(wanted.decode().split('"offset":')[1].split(",")[0].rstrip("}"))
        copy.take(version, gateway_cache.cache_chunk(version, offset, file))
        copy.store()
    return pieces


def knows(copy, number, utc=NOW, uptime=0):
    return copy.lookup(uid(number), utc, uptime) is not None


def test_a_new_version_is_pulled_and_put_in_force():
    path = folder()
    copy, file = board(path), cache_file(3, 200)
    assert copy.version() == 0 and not knows(copy, 0)
    copy.configure(3, *config(file, 3))
    assert pull(copy, file, 3) == (len(file) + 383) // 384
    assert copy.version() == 3 and copy.config.strike_ms == 4000
    for number in range(200):
        assert knows(copy, number)
    assert not knows(copy, 200)
    again = board(path)
    assert again.version() == 3 and again.config.strike_ms == 4000 and knows(again, 7)


def test_an_older_or_contradicting_config_is_refused():
    copy, file = board(folder()), cache_file(3, 2)
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    copy.configure(3, *config(file, 3))
    assert not settle(copy) and copy.want(0) is None
    old = cache_file(2, 2)
    assert raises(seal.SealError, copy.configure, 2, *config(old, 2)).reason == "replay"
    other = cache_file(3, 5)
    assert raises(seal.SealError, copy.configure, 3, *config(other, 3)).reason == "replay"
    # The counter of the seal and the version in the body have to be one.
    assert (
        raises(seal.SealError, copy.configure, 9, *config(cache_file(8, 2), 8)).reason == "config"
    )


def test_a_file_that_is_not_what_the_config_said_is_not_used():
    path = folder()
    copy, file = board(path), cache_file(3, 2)
    copy.configure(3, *config(file, 3, digest=bytes(32)))
    pull(copy, file, 3, pieces=3)
    assert copy.version() == 0 and not knows(copy, 0)
    foreign = cache_file(4, 2, seal.Keys("back", bytes(32)))
    copy.configure(4, *config(foreign, 4))
    pull(copy, foreign, 4, pieces=3)
    assert copy.version() == 0 and not knows(copy, 0)


def test_a_pull_resumes_after_a_restart():
    path = folder()
    copy, file = board(path), cache_file(3, 200)
    copy.configure(3, *config(file, 3))
    assert pull(copy, file, 3, pieces=4) == 4
    copy = board(path)
    copy.configure(3, *config(file, 3))
    assert pull(copy, file, 3) == (len(file) + 383) // 384 - 4
    assert copy.version() == 3


def test_a_newer_version_during_a_pull_starts_over():
    copy, old, new = board(folder()), cache_file(3, 200), cache_file(4, 200)
    copy.configure(3, *config(old, 3))
    pull(copy, old, 3, pieces=4)
    copy.configure(4, *config(new, 4))
    copy.take(3, gateway_cache.cache_chunk(3, 0, old))
    assert not copy.store()
    pull(copy, new, 4)
    assert copy.version() == 4


def test_power_lost_between_the_two_renames_is_made_good():
    path = folder()
    copy, file = board(path), cache_file(3, 5)
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    os.remove(path + "/config")
    copy = board(path)
    assert copy.config is None and copy.version() == 3
    copy.configure(3, *config(file, 3))
    assert copy.config is None and settle(copy) == [True]
    assert copy.want(0) is None and copy.config.strike_ms == 4000


def test_a_damaged_copy_is_not_used_and_pulled_again():
    path = folder()
    copy, file = board(path), cache_file(3, 5)
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    with open(path + "/cache", "r+b") as stored:
        stored.seek(120)
        stored.write(b"?")
    copy = board(path)
    assert copy.version() == 0 and not knows(copy, 0)
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    assert knows(copy, 0)


def test_a_copy_of_the_former_format_is_not_used_and_the_new_one_is_pulled():
    path = folder()
    copy, file = board(path), cache_file(3, 5)
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    with open(path + "/cache", "wb") as former:
        former.write(b"DWC1" + file[4:])
    copy, file = board(path), cache_file(4, 5)
    assert copy.version() == 0 and not knows(copy, 0) and copy.holidays() == ()
    copy.configure(4, *config(file, 4))
    assert pull(copy, file, 4)
    assert copy.version() == 4 and knows(copy, 0)


def test_the_holidays_of_the_copy_in_force_count():
    copy = board(folder())
    windows = [(1, 1, 0x7F, 480, 1080)]
    mark = seal.tag(KEYS, uid(0))
    holidays = [(9862, 9863), (9855, 9855)]
    file = records_build.build(
        KEYS, 3, NOW, NOW + 100, NOW + 200, windows, [(None, None, 0)], [(mark, 0, 1)], holidays
    )
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    assert copy.holidays() == ((9855, 9855), (9862, 9863)) and knows(copy, 0)


def test_expiry():
    copy, file = board(folder()), cache_file(3, 5)
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    assert not copy.stale(NOW + 100) and copy.stale(NOW + 101) and not copy.stale(None)
    assert knows(copy, 0, NOW + 200) and not knows(copy, 0, NOW + 201)
    # A board that does not know the time has been running since after the copy was made.
    assert knows(copy, 0, None, 200) and not knows(copy, 0, None, 201)


def test_a_piece_that_does_not_come_is_asked_for_again():
    copy, file = board(folder()), cache_file(3, 5)
    copy.configure(3, *config(file, 3))
    settle(copy)
    assert copy.want(0) is not None and copy.want(2) is None and copy.want(3) is not None


def test_without_the_doors_policy_the_copy_lets_nobody_in():
    path = folder()
    copy, file = board(path), cache_file(3, 5)
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    with open(path + "/config", "wb") as stored:
        stored.write(b"?")
    copy = board(path)
    assert copy.version() == 3 and copy.config is None and not knows(copy, 0)


def test_a_config_is_only_noted_while_it_comes_in():
    path = folder()
    copy, file = board(path), cache_file(3, 5)
    with open(path + "/cache.new", "wb") as stored:
        stored.write(file)
    before = sorted(os.listdir(path))
    copy.configure(3, *config(file, 3))
    assert sorted(os.listdir(path)) == before and copy.want(0) is None
    assert settle(copy) == [True] and copy.version() == 3


def test_a_long_copy_is_checked_in_steps():
    copy, file = board(folder()), cache_file(3, 600)
    copy.configure(3, *config(file, 3))
    steps = 0
    while copy.version() == 0:
        wanted = copy.want(0)
        if wanted:
            offset = json.loads(wanted)["offset"]
            copy.take(3, gateway_cache.cache_chunk(3, offset, file))
        else:
            steps += 1
        copy.store()
    assert steps >= len(file) // 4096
    assert knows(copy, 599)


def test_a_flash_without_room_keeps_the_old_copy_in_force():
    path = folder()
    copy, old, new = board(path), cache_file(3, 2), cache_file(4, 5)
    copy.configure(3, *config(old, 3))
    pull(copy, old, 3)
    os.mkdir(path + "/cache.new")  # a name that cannot be written to, as a full flash
    copy.configure(4, *config(new, 4))
    pull(copy, new, 4, pieces=3)
    assert copy.version() == 3 and knows(copy, 1) and not knows(copy, 4)
    os.rmdir(path + "/cache.new")
    pull(copy, new, 4, 10)
    assert copy.version() == 4 and knows(copy, 4)


def test_after_a_rekey_the_copy_of_the_former_key_holds_until_a_new_one_has_come():
    path = folder()
    copy, file = board(path), cache_file(3, 5)
    copy.configure(3, *config(file, 3))
    pull(copy, file, 3)
    keys = seal.Keys("front", bytes(31) + b"1", 2)
    keys.former = KEYS
    copy = board(path, keys)
    assert copy.version() == 3 and copy.config and knows(copy, 4)
    assert not knows(copy, 5)
    new = cache_file(4, 6, keys)
    copy.configure(4, *config(new, 4))
    pull(copy, new, 4)
    assert copy.version() == 4 and knows(copy, 5)
    # Without the former key it is what a stranger made.
    keys.former = None
    assert board(path, seal.Keys("front", bytes(31) + b"2", 2)).version() == 0


def test_an_older_config_is_refused_also_after_the_newer_one_was_lost():
    # The power went between the two renames; somebody plays what the gateway said before.
    path = folder()
    copy, old, new = board(path), cache_file(3, 9), cache_file(4, 5)
    copy.configure(3, *config(old, 3))
    pull(copy, old, 3)
    for removed in (False, True):
        with open(path + "/cache", "wb") as stored:
            stored.write(new)
        if removed:
            os.remove(path + "/config")
        again = board(path)
        assert again.version() == 4
        assert raises(seal.SealError, again.configure, 3, *config(old, 3)).reason == "replay"
        again.configure(4, *config(new, 4))
        assert settle(again) == [True] and not knows(again, 8)
