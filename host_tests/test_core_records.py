# The credential cache against a file that the second implementation wrote. Both interpreters.

import io
from binascii import hexlify, unhexlify

from support import raises, vectors

from doorward_core import records, records_build, seal

VECTOR = vectors("cache")
KEYS = seal.Keys(VECTOR["device"], unhexlify(VECTOR["secret"]), VECTOR["epoch"])
FILE = unhexlify(VECTOR["file"])


def opened(data=FILE, keys=KEYS):
    cache = records.Cache(io.BytesIO(data), keys)
    cache.check()
    return cache


def build(number):
    # A cache of number cards; card n belongs to person n % 500 and group n % 3.
    cards = [(seal.tag(KEYS, n.to_bytes(4, "big")), n % 500, n % 3) for n in range(number)]
    windows = [(group, 1, 0x7F, 60 * group, 1440) for group in range(3)]
    persons = [(None, None, 0)] * 500
    return records_build.build(KEYS, 1, 0, 0, 0, windows, persons, cards)


class Counting:
    # A file that counts its reads; MicroPython cannot inherit from BytesIO.
    def __init__(self, data):
        self._file = io.BytesIO(data)
        self.seek = self._file.seek
        self.reads = 0

    def read(self, size):
        self.reads += 1
        return self._file.read(size)


def test_the_file_is_the_second_implementations_to_the_byte():
    uids = [unhexlify(uid) for uid in VECTOR["uids"]]
    cards = [(seal.tag(KEYS, uid), n, 2 - n % 2) for n, uid in enumerate(uids)]
    persons = [
        (None if first == 0xFFFF else first, None if last == 0xFFFF else last, flags)
        for first, last, flags in VECTOR["persons"]
    ]
    windows = [tuple(row) for row in VECTOR["windows"]]
    built = records_build.build(KEYS, *VECTOR["times"], windows, persons, cards)
    assert hexlify(built).decode() == VECTOR["file"]


def test_what_is_in_it_comes_out():
    cache = opened()
    assert (cache.version, cache.count) == (VECTOR["times"][0], 3)
    first = cache.lookup(seal.tag(KEYS, unhexlify(VECTOR["uids"][0])))
    assert (first.person, first.group, first.active, first.strength) == (0, 2, True, 1)
    assert first.windows == ((0x1F, 1020, 1320), (0x20, 600, 720))
    second = cache.lookup(seal.tag(KEYS, unhexlify(VECTOR["uids"][1])))
    assert (second.valid_from, second.valid_until, second.always) == (9000, 9999, True)
    assert second.strength == 2
    third = cache.lookup(seal.tag(KEYS, unhexlify(VECTOR["uids"][2])))
    assert not third.active


def test_a_card_that_is_not_in_it_is_not_found():
    cache = opened()
    for uid in (b"\1\2\3\4", b"", bytes(10)):
        assert cache.lookup(seal.tag(KEYS, uid)) is None
    for mark in (bytes(12), b"\xff" * 12):
        assert cache.lookup(mark) is None


def test_every_one_of_a_thousand_is_found_with_few_reads():
    file = Counting(build(1000))
    cache = records.Cache(file, KEYS)
    cache.check()
    file.reads = 0
    for number in range(1000):
        found = cache.lookup(seal.tag(KEYS, number.to_bytes(4, "big")))
        assert (found.person, found.group) == (number % 500, number % 3)
    # About four probes for the tag, and one for the person.
    assert file.reads < 1000 * 8
    for number in range(1000, 1200):
        assert cache.lookup(seal.tag(KEYS, number.to_bytes(4, "big"))) is None


def test_more_people_than_two_bytes_can_name_are_refused():
    many = [(None, None, 0)] * 65536
    raises(ValueError, records_build.build, KEYS, 1, 0, 0, 0, [], many, [])


def test_an_empty_cache_knows_nobody():
    empty = records_build.build(KEYS, 1, 0, 0, 0, [], [], [])
    assert opened(empty).lookup(bytes(12)) is None


def test_no_byte_of_it_can_be_changed_cut_or_added():
    for index in range(len(FILE)):
        bent = bytearray(FILE)
        bent[index] ^= 1
        raises(records.CacheError, opened, bytes(bent))
    for size in range(len(FILE)):
        raises(records.CacheError, opened, FILE[:size])
    raises(records.CacheError, opened, FILE + b"\0")


def test_it_is_worth_nothing_on_another_board():
    raises(records.CacheError, opened, FILE, seal.Keys("back", unhexlify(VECTOR["secret"])))
    raises(records.CacheError, opened, FILE, seal.Keys("front", bytes(32)))
    raises(records.CacheError, opened, FILE, seal.Keys("front", unhexlify(VECTOR["secret"]), 2))
