# PIR, Wiegand and keypad, from the levels of their pins.

from fake_parts import Clock, Pin

from doorward_core.compat import ticks_add
from doorward_drivers.keypad import Keypad
from doorward_drivers.pir import Pir
from doorward_drivers.wiegand import Wiegand, number

WRAP = 1 << 30
KEYS = "123456789*0#"


# --- PIR


def watched(levels, warm_ms=0, hold_ms=200, start=WRAP - 200):
    # When `on` changed, in ms, for a level every 25 ms.
    pin = Pin(0)
    part = Pir(pin, 1, warm_ms, hold_ms, start)
    changes = []
    for step, level in enumerate(levels):
        pin.level = level
        if part.sample(ticks_add(start, 25 * step)):
            changes.append((25 * step, part.on))
    return changes


def test_motion_begins_at_the_second_look_and_ends_after_the_hold():
    assert watched([0, 1, 1, 1] + [0] * 20) == [(50, True), (275, False)]


def test_a_spike_is_no_motion():
    assert watched([0, 1, 0, 0, 1, 0, 1, 0]) == []


def test_whoever_moves_again_keeps_it_on():
    assert watched([1, 1] + [0] * 6 + [1, 1] + [0] * 20) == [(25, True), (425, False)]


def test_while_it_warms_up_nobody_is_there():
    assert watched([1] * 12 + [0] * 20, warm_ms=200) == [(225, True), (475, False)]
    assert watched([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], warm_ms=200) == []


# --- Wiegand


def bits_of(text):
    return bytearray([int(bit) for bit in text])


def frame(value, size):
    # A card as the standard has it: even parity over the first half, odd over the second.
    inner = "".join([str(value >> place & 1) for place in range(size - 3, -1, -1)])
    half = size // 2 - 1
    even = inner[:half].count("1") & 1
    odd = 1 - (inner[half:].count("1") & 1)
    return str(even) + inner + str(odd)


class Reader:
    def __init__(self, start=WRAP - 30000):
        self.clock = Clock(start)
        self.lines = (Pin(), Pin())
        self.part = Wiegand(self.lines[0], self.lines[1], self.clock)

    def read(self):
        # What poll() comes to; there is no asyncio here that both interpreters have.
        waiting = self.part.poll()
        try:
            waiting.send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError("it waited")

    def pulse(self, text, gap_us=1000):
        for bit in text:
            self.clock.now = ticks_add(self.clock.now, gap_us)
            line = self.lines[int(bit)]
            line.handler(line)

    def quiet(self, us=30000):
        self.clock.now = ticks_add(self.clock.now, us)


def test_known_frames():
    # Facility 1, card 1, and the largest: written down from the standard's own layout.
    assert number(bits_of("10000000100000000000000010"), 26) == b"\x00\x01\x00\x01"
    assert number(bits_of("0" + "1" * 24 + "1"), 26) == b"\x00\xff\xff\xff"


def test_cards_of_26_and_34_bits():
    for value in (0, 1, 0x123456, 0xFFFFFF, 0xABCDEF):
        assert number(bits_of(frame(value, 26)), 26) == value.to_bytes(4, "big")
    for value in (0, 1, 0x04A1B2C3, 0xFFFFFFFF, 0x80000001):
        assert number(bits_of(frame(value, 34)), 34) == value.to_bytes(4, "big")


def test_no_bit_can_be_wrong_alone():
    for size in (26, 34):
        good = frame(0x92A5C3, size)
        for place in range(size):
            spoilt = bits_of(good)
            spoilt[place] ^= 1
            assert number(spoilt, size) is None, (size, place)


def test_a_card_is_told_once_and_not_before_the_lines_are_quiet():
    reader = Reader()
    reader.pulse(frame(0x04A1B2C3, 34))
    assert reader.read() is None
    reader.quiet()
    assert reader.read() == b"\x04\xa1\xb2\xc3"
    assert reader.read() is None
    assert reader.part.bad == 0


def test_slow_bits_are_still_one_frame():
    reader = Reader()
    reader.pulse(frame(7, 26), 20000)
    reader.quiet()
    assert reader.read() == b"\x00\x00\x00\x07"


def test_a_frame_that_lost_a_bit_spoils_none_after_it():
    reader = Reader()
    reader.pulse(frame(7, 26)[:-1])
    reader.quiet()
    assert reader.read() is None
    reader.pulse(frame(7, 26))
    reader.quiet()
    assert reader.read() == b"\x00\x00\x00\x07"
    assert reader.part.bad == 1


def test_two_frames_wait_for_a_loop_that_was_away_and_a_third_is_counted():
    reader = Reader()
    for key in ("0001", "0010"):
        reader.pulse(key)
        reader.quiet()
    assert reader.read() is None
    assert (reader.part.sample(), reader.part.sample(), reader.part.sample()) == ("1", "2", None)
    for key in ("0001", "0010", "0011"):
        reader.pulse(key)
        reader.quiet()
    reader.read()
    assert reader.part.lost == 1
    assert (reader.part.sample(), reader.part.sample()) == ("2", "3")


def test_keys_of_4_and_8_bits():
    reader = Reader()
    for key, name in enumerate("0123456789*#"):
        four = "".join([str(key >> place & 1) for place in (3, 2, 1, 0)])
        eight = "".join([str(1 - int(bit)) for bit in four]) + four
        for text in (four, eight):
            reader.pulse(text)
            reader.quiet()
            assert reader.read() is None
            assert reader.part.sample() == name, text
            assert reader.part.sample() is None
    assert reader.part.bad == 0


def test_what_is_no_key_is_counted():
    reader = Reader()
    for text in ("1100", "1111", "00000001", "10100000", "1", "111", "1" * 27, "1" * 60):
        reader.pulse(text)
        reader.quiet()
        reader.read()
    assert reader.part.sample() is None
    assert reader.part.bad == 8


# --- keypad


class Matrix:
    # Switches without diodes, worked out by paths: rows that are low pull what is joined to them.
    def __init__(self):
        self.down = set()
        self.rows = [Pin() for _ in range(4)]
        self.cols = [Column(self, place) for place in range(3)]
        self.part = Keypad(self.rows, self.cols, KEYS)

    def low(self, column):
        found_rows, found_cols = set(), {column}
        for _ in range(8):
            for key in self.down:
                row, col = divmod(KEYS.find(key), 3)
                if row in found_rows or col in found_cols:
                    found_rows.add(row)
                    found_cols.add(col)
        return any(self.rows[row].level == 0 for row in found_rows)

    def press(self, keys, samples=3):
        self.down = set(keys)
        return [key for key in [self.part.sample() for _ in range(samples)] if key]


class Column:
    def __init__(self, matrix, place):
        self.matrix = matrix
        self.place = place

    def __call__(self):
        return 0 if self.matrix.low(self.place) else 1


def test_every_key_is_told_once_while_it_is_down():
    matrix = Matrix()
    for key in KEYS:
        assert matrix.press(key, 10) == [key]
        assert matrix.press("") == []


def test_a_key_that_bounces_is_one_key():
    matrix = Matrix()
    told = [
        matrix.press(keys, 1) for keys in ("5", "", "5", "", "5", "5", "5", "", "5", "", "", "")
    ]
    assert [key for keys in told for key in keys] == ["5"]


def test_a_quick_hand_presses_the_next_before_it_lets_go():
    matrix = Matrix()
    assert matrix.press("1") == ["1"]
    assert matrix.press("12") == ["2"]
    assert matrix.press("2") == []
    assert matrix.press("23") == ["3"]


def test_three_corners_of_a_rectangle_make_no_fourth_key():
    matrix = Matrix()
    assert matrix.press("1") == ["1"]
    assert matrix.press("12") == ["2"]
    assert matrix.press("124", 10) == []
    # Not before all are up: what is left of them may still be a ghost.
    assert matrix.press("24", 10) == []
    assert matrix.press("4") == [] and matrix.press("45") == []
    assert matrix.press("") == []
    assert matrix.press("5") == ["5"]


def test_the_ghost_is_there_without_the_driver():
    # Positive control: the matrix of this test does show a key that nobody presses.
    matrix = Matrix()
    matrix.down = set("124")
    assert matrix.part._scan() == 0b11011


def test_two_at_the_same_instant_have_no_order():
    matrix = Matrix()
    assert matrix.press("12") == []
    assert matrix.press("") == []
    assert matrix.press("1") == ["1"]


def test_rows_are_left_high():
    matrix = Matrix()
    matrix.press("5")
    assert [row.level for row in matrix.rows] == [1, 1, 1, 1]
