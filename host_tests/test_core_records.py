# The credential cache against a file that the second implementation wrote. Both interpreters.

import hashlib
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
    holidays = [tuple(days) for days in VECTOR["holidays"]]
    built = records_build.build(KEYS, *VECTOR["times"], windows, persons, cards, holidays)
    assert hexlify(built).decode() == VECTOR["file"]


def test_what_is_in_it_comes_out():
    cache = opened()
    assert (cache.version, cache.count) == (VECTOR["times"][0], 4)
    assert cache.holidays == ((9855, 9856), (9862, 9862))
    first = cache.lookup(seal.tag(KEYS, unhexlify(VECTOR["uids"][0])))
    assert (first.person, first.group, first.active, first.strength) == (0, 2, True, 1)
    assert first.windows == ((0x1F, 1020, 1320), (0x20, 600, 720))
    second = cache.lookup(seal.tag(KEYS, unhexlify(VECTOR["uids"][1])))
    assert (second.valid_from, second.valid_until, second.always) == (9000, 9999, True)
    assert second.strength == 2
    third = cache.lookup(seal.tag(KEYS, unhexlify(VECTOR["uids"][2])))
    assert not third.active
    last = cache.lookup(seal.tag(KEYS, unhexlify(VECTOR["uids"][3])))
    assert (last.active, last.valid_from, last.valid_until) == (True, 9800, None)


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
    for number in range(1200):
        file.reads = 0
        found = cache.lookup(seal.tag(KEYS, number.to_bytes(4, "big")))
        # How many stand before it, and the few that stand where it does.
        assert file.reads <= 12
        if number < 1000:
            assert (found.person, found.group) == (number % 500, number % 3)
        else:
            assert found is None


def sets():
    # Tags as they are, and as no HMAC makes them: (name, tags).
    even = [hashlib.sha256(n.to_bytes(4, "big")).digest()[:12] for n in range(2000)]
    yield "none", []
    yield "one", even[:1]
    yield "two", even[:2]
    for number in (3, 4, 97, 511, 2000):
        yield str(number), even[:number]
    yield "the ends", [bytes(12), b"\xff" * 11 + b"\xfe", b"\xff" * 12]
    yield "half of them in one place", even[:300] + [b"\x80\0" + mark[2:] for mark in even[300:500]]
    yield "all in one place", [b"\x12\x34" + mark[2:] for mark in even[:600]]
    yield "all in the last place", [b"\xff\xff" + mark[2:] for mark in even[:600]]
    yield "next to each other", [b"\x7f" * 10 + n.to_bytes(2, "big") for n in range(300)]


def test_it_knows_what_a_dictionary_knows():
    strangers = [hashlib.sha256(n.to_bytes(4, "little") + b"x").digest()[:12] for n in range(60)]
    for name, tags in sets():
        known = {mark: place for place, mark in enumerate(tags)}
        persons = [
            (None if n % 3 else n, None if n % 5 else n + 9, n % 7 == 0) for n in range(len(tags))
        ]
        cards = [(mark, known[mark], known[mark] % 4) for mark in tags]
        windows = [(group, 1, 0x7F, 0, 1440) for group in range(4)]
        file = records_build.build(KEYS, 1, 0, 0, 0, windows, persons, cards)
        cache = opened(file)
        near = [mark[:11] + bytes([mark[11] ^ 1]) for mark in tags[:50]]
        for mark in tags + near + strangers + [bytes(12), b"\xff" * 12]:
            found = cache.lookup(mark)
            if mark not in known:
                assert found is None, (name, mark)
                continue
            place = known[mark]
            assert found.person == place and found.active == (place % 7 != 0), name
            assert (found.valid_from, found.valid_until) == persons[place][:2], name
            assert found.group == (place % 4 if found.active else 0xFFFF), name


def test_a_group_that_the_file_does_not_have_is_a_damaged_file():
    file = records_build.build(KEYS, 1, 0, 0, 0, [], [(None, None, 0)], [(bytes(12), 0, 3)])
    raises(records.CacheError, opened(file).lookup, bytes(12))


def test_more_people_than_two_bytes_can_name_are_refused():
    many = [(None, None, 0)] * 65536
    raises(ValueError, records_build.build, KEYS, 1, 0, 0, 0, [], many, [])
    windows = [(0xFFFF, 1, 0x7F, 0, 1440)]
    raises(ValueError, records_build.build, KEYS, 1, 0, 0, 0, windows, [], [])


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
