# The lamp's curve, its fades and its two whites.

from doorward_core.compat import ticks_add
from doorward_drivers.lamp import Lamp, cool_part

WRAP = 1 << 30
LEAST = 260


def lamp(count=1):
    duties = [[] for _ in range(count)]
    return Lamp([each.append for each in duties], LEAST, 2700, 6500), duties


def set_to(percent, count=1, kelvin=None):
    part, duties = lamp(count)
    part.set(percent, 0, kelvin=kelvin)
    return [each[-1] for each in duties]


def jumps(duties):
    return [duties[place] - duties[place - 1] for place in range(1, len(duties))]


def test_it_is_dark_from_the_first_instant():
    assert lamp(2)[1] == [[0], [0]]


def test_nothing_is_off_and_one_percent_can_be_seen():
    assert set_to(0) == [0]
    assert set_to(1)[0] >= LEAST
    assert set_to(0.01)[0] >= LEAST
    assert set_to(100) == [65535]


def test_more_is_brighter_and_the_eye_finds_half_half_as_bright():
    duties = [set_to(percent)[0] for percent in range(101)]
    assert min(jumps(duties)) > 0
    assert 0.18 < duties[50] / 65535 < 0.25


def test_what_is_out_of_range_is_cut():
    assert set_to(-5) == [0]
    assert set_to(250) == [65535]
    part, _ = lamp()
    part.set(250, 0)
    assert part.percent() == 100


def test_a_fade_goes_evenly_over_a_wrap_of_the_ticks():
    part, (duties,) = lamp()
    start = WRAP - 300
    part.set(100, start, 1000)
    for ms in range(25, 1100, 25):
        part.tick(ticks_add(start, ms))
    assert duties == sorted(duties)
    assert duties[-1] == 65535 and not part.moving
    assert max(jumps(duties)) < 65535 // 12
    assert len(duties) >= 40


def test_a_fade_can_be_turned_back_from_where_it_is():
    part, (duties,) = lamp()
    part.set(100, 0, 1000)
    part.tick(500)
    half = duties[-1]
    part.set(0, 500, 1000)
    assert abs(duties[-1] - half) < 1000
    part.tick(1500)
    assert duties[-1] == 0 and not part.moving


def test_a_lamp_that_rests_costs_nothing():
    part, (duties,) = lamp()
    part.set(50, 0)
    before = len(duties)
    part.tick(25)
    assert len(duties) == before and not part.moving


def test_each_end_of_the_white_is_one_channel():
    assert set_to(100, 2, kelvin=2700) == [65535, 0]
    assert set_to(100, 2, kelvin=6500) == [0, 65535]
    assert set_to(100, 2, kelvin=1000) == [65535, 0]
    assert set_to(100, 2, kelvin=9000) == [0, 65535]


def test_the_white_between_is_mixed_in_mired():
    # Half of 370 (2700 K) and half of 153 (6500 K) mired is 262: 3817 K.
    assert abs(cool_part(3817, 2700, 6500) - 5000) < 50
    warm, cool = set_to(100, 2, kelvin=3817)
    assert abs(warm - cool) < 700
    assert abs(warm + cool - 65535) < 700


def test_dim_and_mixed_both_channels_can_be_seen():
    warm, cool = set_to(1, 2, kelvin=3800)
    assert warm >= LEAST and cool >= LEAST


def test_a_dark_lamp_comes_up_in_the_colour_that_was_asked_for():
    part, (warm, cool) = lamp(2)
    part.set(0, 0, kelvin=2700)
    part.set(100, 1000, 1000, kelvin=6500)
    part.tick(1500)
    assert warm[-1] == 0 and cool[-1] > 0


def test_colour_fades_with_the_level_and_none_leaves_it():
    part, (warm, cool) = lamp(2)
    part.set(100, 0, kelvin=2700)
    part.set(100, 0, 1000, kelvin=6500)
    part.tick(500)
    assert warm[-1] > 5000 and cool[-1] > 5000
    part.tick(1000)
    assert (warm[-1], cool[-1]) == (0, 65535)
    part.set(40, 2000)
    assert warm[-1] == 0 and part.kelvin() == 6500
