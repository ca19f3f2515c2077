# Patterns of light and sound, and the player.

from fake_parts import Pin
from support import raises

from doorward_core.compat import ticks_add
from doorward_core.patterns import parse
from doorward_drivers.led import Led
from doorward_drivers.pattern import Player

WRAP = 1 << 30
WRONG = (
    "",
    " ",
    "g",
    "200",
    "g0",
    "g-1",
    "g10001",
    "g200  g200",
    "g200 ",
    "G200",
    "ä200",
    "g2٠0",
    "--200",
    "-",
    "*2",
    "g200 *0",
    "g200 *21",
    "g200 *",
    "*2 g200",
    "g10000 *7",
    " ".join(["g1"] * 33),
)


def played(text, until, pace=25, start=WRAP - 60):
    # (ms since the start, what was shown), each change, asked every `pace` ms.
    shown = []
    player = Player(shown.append)
    del shown[:]
    player.play(text, start)
    changes = [(0, shown[-1])]
    for ms in range(pace, until, pace):
        player.tick(ticks_add(start, ms))
        if shown[-1] != changes[-1][1]:
            changes.append((ms, shown[-1]))
    return changes, player.playing()


def test_a_pattern_is_played_in_its_time():
    assert played("g200 -100 g200", 1000) == (
        [(0, "g"), (200, ""), (300, "g"), (500, "")],
        False,
    )


def test_it_repeats_as_often_as_it_says():
    assert played("r50 -50 *3", 1000)[0] == [
        (0, "r"),
        (50, ""),
        (100, "r"),
        (150, ""),
        (200, "r"),
        (250, ""),
    ]


def test_letters_together_are_on_together():
    assert played("rg100 b100", 500)[0] == [(0, "rg"), (100, "b"), (200, "")]


def test_a_late_player_does_not_lag_behind():
    assert played("g200 -100 g200 -100 r100", 2000, pace=350)[0] == [(0, "g"), (700, "")]
    assert played("g200 -100 g200 -100 r200", 2000, pace=350)[0] == [
        (0, "g"),
        (700, "r"),
        (1050, ""),
    ]


def test_what_is_no_pattern_is_refused():
    for text in WRONG:
        assert raises(ValueError, parse, text).args[0].startswith("pattern: "), text


def test_the_message_names_the_step():
    assert "g0" in raises(ValueError, parse, "g100 g0 g100").args[0]
    assert "x" in raises(ValueError, parse, "g100 x").args[0]


def test_a_new_pattern_takes_the_place_of_the_old_and_stop_ends_it():
    shown = []
    player = Player(shown.append)
    player.play("g1000", 0)
    player.play("r1000", 10)
    assert shown[-1] == "r"
    player.stop()
    assert shown[-1] == ""
    assert not player.playing()
    player.tick(5000)
    assert shown[-1] == ""


def test_a_led_of_three_colours_and_one_of_one():
    for active in (0, 1):
        pins = {"r": Pin(), "g": Pin(), "b": Pin()}
        led = Led(pins, active)
        assert all(pin.level == 1 - active for pin in pins.values())
        led.play("rg100", 0)
        assert [pins[letter].level == active for letter in "rgb"] == [True, True, False]
        led.tick(100)
        assert all(pin.level == 1 - active for pin in pins.values())
        single = Pin()
        led = Led({"g": single}, active)
        led.play("r100", 0)
        assert single.level == active
        led.tick(100)
        assert single.level == 1 - active
