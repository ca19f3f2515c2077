# What has changed since the copy in force: taken back at once, merged in turns, never an older one.

import hashlib
import json
import os

from scratch import folder
from support import raises

from doorward_core import (
    gateway_cache,
    gateway_seal,
    records_build,
    records_delta,
    schedule,
    seal,
    topics,
)
from doorward_node.credentials import Credentials

KEYS = seal.Keys("front", bytes(32))
NOW = 1795257000
ALWAYS = [(1, 1) + schedule.ALWAYS[0], (2, 1, 0x1F, 480, 1080)]

_boards = []


def board(path):
    _boards.append(Credentials(path, KEYS))
    return _boards[-1]


def teardown_function(_function):
    # pytest counts open files.
    while _boards:
        copy = _boards.pop()
        if copy._cache:
            copy._cache.close()
        if copy.delta and copy.delta._steps:
            copy.delta._steps.close()


def uid(number):
    return number.to_bytes(7, "big")


def cache_file(version, numbers, persons=((None, None, 0),), groups=None, issued=NOW):
    rows = [(seal.tag(KEYS, uid(n)), n % len(persons), (groups or {}).get(n, 1)) for n in numbers]
    expiry = issued + 100, issued + 200
    return records_build.build(KEYS, version, issued, *expiry, ALWAYS, list(persons), rows)


class Gateway:
    # The newest file, and the delta from `base` to it.
    def __init__(self, version, file, base=0, delta=None):
        self.version = version
        self.file = file
        self.base = base
        self.delta = delta
        self.pieces = 0

    def tell(self, copy):
        digest = hashlib.sha256(self.file).digest()
        body = gateway_cache.config(self.version, len(self.file), digest, 4000, 9000, 9000)
        word = gateway_seal.counter_word(self.version)
        copy.configure(self.version, body, seal.seal(KEYS, topics.CONFIG, word, body))

    def answer(self, copy, now):
        # False if the board asks for nothing.
        wanted = copy.want(now)
        if not wanted:
            return False
        wanted = json.loads(wanted)
        self.pieces += 1
        file, base = self.file, 0
        if self.delta and wanted.get("from") == self.base:
            file, base = self.delta, self.base
        piece = gateway_cache.cache_chunk(self.version, wanted["offset"], file, base)
        copy.take(wanted["version"], piece)
        return True

    def serve(self, copy, turns=400):
        for now in range(turns):
            copy.store()
            self.answer(copy, now * 4)
        return copy.version()


def knows(copy, number):
    return copy.lookup(uid(number), NOW, 0) is not None


def with_copy(path, numbers, **other):
    copy = board(path)
    first = Gateway(3, cache_file(3, numbers, **other))
    first.tell(copy)
    assert first.serve(copy) == 3
    return copy, first.file


def follows(old, version, new):
    return Gateway(version, new, 3, records_delta.build(old, new))


def test_a_change_costs_a_piece_and_the_copy_is_the_gateways_to_the_byte():
    path = folder()
    copy, old = with_copy(path, range(600))
    gateway = follows(old, 5, cache_file(5, list(range(1, 600)) + [700], issued=NOW + 50))
    gateway.tell(copy)
    assert gateway.serve(copy) == 5
    assert gateway.pieces == 1
    with open(path + "/cache", "rb") as file:
        assert file.read() == gateway.file
    assert not knows(copy, 0) and knows(copy, 1) and knows(copy, 700)
    assert copy.config.cache_version == 5 and sorted(os.listdir(path)) == ["cache", "config"]
    assert board(path).version() == 5


def test_a_revoked_card_is_refused_before_the_new_copy_is_there():
    path = folder()
    copy, old = with_copy(path, range(600))
    gateway = follows(old, 4, cache_file(4, range(1, 600)))
    gateway.tell(copy)
    while not gateway.pieces:
        assert knows(copy, 0)
        copy.store()
        gateway.answer(copy, 0)
    assert knows(copy, 0)
    copy.store()
    assert copy.version() == 3 and not knows(copy, 0) and knows(copy, 1)
    # Also after a restart without a link: nothing more is needed from the gateway.
    again = board(path)
    assert again.version() == 3 and not knows(again, 0) and knows(again, 1)
    for _ in range(20):
        again.store()
        assert not knows(again, 0)
    assert again.version() == 4 and knows(again, 1)


def test_who_may_less_is_refused_at_once_and_has_the_new_rights_later():
    persons = [(None, None, 0), (None, None, 0), (None, None, 0)]
    path = folder()
    copy, old = with_copy(path, range(90), persons=persons, groups={5: 1, 6: 1})
    fewer = [(None, None, 0), (None, None, records_build.PERSON_INACTIVE), (None, None, 0)]
    gateway = follows(old, 4, cache_file(4, range(90), persons=fewer, groups={5: 2, 6: 1}))
    gateway.tell(copy)
    while copy.version() == 3:
        copy.store()
        gateway.answer(copy, 0)
        if copy.delta and copy.delta.makes:
            assert knows(copy, 6) and not knows(copy, 7), "person 1 has cards 1, 4, 7"
            assert not knows(copy, 5)
    assert copy.lookup(uid(5), NOW, 0).group == 2
    assert not copy.lookup(uid(7), NOW, 0).active


def test_a_pull_goes_on_where_the_power_went():
    path = folder()
    copy, old = with_copy(path, range(600))
    gateway = follows(old, 4, cache_file(4, range(40, 600)))
    assert len(gateway.delta) > 2 * 384
    gateway.tell(copy)
    while gateway.pieces < 2:
        copy.store()
        gateway.answer(copy, 0)
    copy.store()
    copy = board(path)
    assert copy.version() == 3 and knows(copy, 0)
    gateway.tell(copy)
    assert gateway.serve(copy) == 4
    assert gateway.pieces == (len(gateway.delta) + 383) // 384


def test_without_a_delta_the_whole_comes():
    for base, delta in ((0, None), (2, b"DWD1")):
        copy, _old = with_copy(folder(), range(60))
        gateway = Gateway(4, cache_file(4, range(1, 60)), base, delta)
        gateway.tell(copy)
        assert gateway.serve(copy) == 4
        assert not knows(copy, 0) and knows(copy, 59)


def test_a_delta_that_is_none_or_makes_another_file_is_dropped_and_the_whole_comes():
    for at in (0, 5, 9, 20, 40, 60, -17, -1):
        path = folder()
        copy, old = with_copy(path, range(60))
        gateway = follows(old, 4, cache_file(4, range(1, 60)))
        bad = bytearray(gateway.delta)
        bad[at] ^= 1
        gateway.delta = bytes(bad)
        gateway.tell(copy)
        assert gateway.serve(copy) == 4, at
        assert not knows(copy, 0) and knows(copy, 59) and "cache.delta" not in os.listdir(path)


def test_a_newer_version_on_the_way_and_no_way_back():
    copy, old = with_copy(folder(), range(600))
    first = follows(old, 4, cache_file(4, range(40, 600)))
    first.tell(copy)
    copy.store()
    first.answer(copy, 0)
    second = follows(old, 5, cache_file(5, range(50, 600)))
    second.tell(copy)
    assert second.serve(copy) == 5
    assert not knows(copy, 45) and knows(copy, 50)
    assert raises(seal.SealError, first.tell, copy).reason == "replay"
    stale = board(folder())
    second.tell(stale)
    assert second.serve(stale) == 5, "a board without a copy takes the whole"


def test_a_flash_without_room_keeps_the_copy_and_asks_for_the_whole():
    path = folder()
    copy, old = with_copy(path, range(60))
    os.mkdir(path + "/cache.delta")  # a name that cannot be written to, as a full flash
    gateway = follows(old, 4, cache_file(4, range(1, 60)))
    gateway.tell(copy)
    assert gateway.serve(copy) == 4 and not knows(copy, 0)


def test_who_is_taken_back_stays_so_when_no_copy_can_be_made_of_it():
    path = folder()
    copy, old = with_copy(path, range(60))
    gateway = follows(old, 4, cache_file(4, range(1, 60)))
    gateway.tell(copy)
    os.mkdir(path + "/cache.new")  # as a full flash: neither this nor the whole finds room
    gateway.serve(copy)
    for one in (copy, board(path)):
        for _ in range(4):
            one.store()
            assert one.version() == 3 and not knows(one, 0) and knows(one, 59)
    os.rmdir(path + "/cache.new")
    assert gateway.serve(copy) == 4 and not knows(copy, 0)
    assert sorted(os.listdir(path)) == ["cache", "config"]
    gateway = Gateway(5, cache_file(5, range(60)), 4, None)
    gateway.tell(copy)
    assert gateway.serve(copy) == 5 and knows(copy, 0)


def test_another_copy_of_the_same_number_takes_back_and_is_replaced_by_the_whole():
    copy, _old = with_copy(folder(), range(60))
    gateway = follows(cache_file(3, range(61)), 4, cache_file(4, list(range(1, 61))))
    gateway.tell(copy)
    taken = False
    for now in range(400):
        copy.store()
        gateway.answer(copy, now * 4)
        taken = taken or not knows(copy, 0)
        assert taken != knows(copy, 0)
    assert copy.version() == 4 and knows(copy, 60)


def test_what_is_no_smaller_than_the_whole_is_not_built():
    old = cache_file(3, range(600))
    assert records_delta.build(old, cache_file(4, range(300, 900))) is None
    assert (
        records_delta.build(old, cache_file(4, range(600), groups=dict.fromkeys(range(600), 2)))
        is None
    )
    assert len(records_delta.build(old, cache_file(4, range(600), issued=NOW + 9))) < 200
