# What is typed on a keypad, until it is a credential.

from doorward_core.codes import credential
from doorward_core.compat import ticks_add
from doorward_node.code_entry import CodeEntry


class Told:
    def __init__(self):
        self.events = []

    def play(self, event, now):
        self.events.append(event)


class Keys:
    def __init__(self):
        self.codes = []
        self.told = Told()
        self.entry = CodeEntry(None, self.codes.append, self.told)
        self.now = self.entry.alive

    def type(self, keys, pause_ms=500):
        for key in keys:
            self.now += pause_ms
            self.entry.press(key, self.now)
        return self.codes


def test_digits_and_a_hash_are_a_code():
    assert Keys().type("4711#") == [credential("4711")]
    assert Keys().type("12345678#0000#") == [credential("12345678"), credential("0000")]


def test_too_few_and_too_many_digits_are_none():
    assert Keys().type("#471#") == []
    assert Keys().type("123456789#") == [] and Keys().type("1234567890123#") == []


def test_a_star_starts_over():
    assert Keys().type("99*4711#") == [credential("4711")]


def test_what_somebody_left_unfinished_is_forgotten():
    keys = Keys()
    keys.type("47")
    keys.now += 10000
    assert keys.type("11#") == []
    assert keys.type("4711#") == [credential("4711")]


def test_digits_of_last_week_are_forgotten_too():
    # Half the period of an ESP32's ticks is 6.2 days: after that they look as if typed just now.
    keys = Keys()
    keys.type("47")
    for _ in range(9 * 24):
        keys.now = ticks_add(keys.now, 3600000)
        keys.entry.forget(keys.now)
    assert keys.type("11#") == []


def test_each_key_is_told_and_so_is_what_is_forgotten():
    keys = Keys()
    keys.type("4*471#4711#")
    assert keys.told.events == ["key", "cleared"] + ["key"] * 4 + ["refused"] + ["key"] * 5
    keys.told.events.clear()
    keys.type("47")
    keys.entry.forget(ticks_add(keys.now, 10001))
    assert keys.told.events == ["key", "key", "cleared"]
