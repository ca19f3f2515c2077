# Lamp, buzzer, LED, PIR, keypad, Wiegand and padlock against the lab's models of them.

from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

from lab_by_hand import power_up

import machine
from doorward_drivers import buzzer, keypad, lamp, led, padlock, pir, wiegand
from lab_parts.keypad import Keypad
from lab_parts.padlock import Padlock
from lab_parts.wiegand import Wiegand

SERVO = {
    "driver": "servo",
    "pin": 26,
    "locked_us": 1000,
    "unlocked_us": 2000,
    "move_ms": 300,
    "switch": {"pin": 33, "locked": 0},
}
SOLENOID = {
    "driver": "solenoid",
    "pin": 27,
    "active": 1,
    "pulse_ms": 400,
    "switch": {"pin": 33, "locked": 0},
}
MATRIX = {"rows": [13, 14, 26, 27], "cols": [32, 33, 25], "keys": "123456789*0#"}


def test_a_lamp_does_not_flash_when_it_gets_power():
    lab = power_up()
    part = lamp.make({"pin": 25, "active": 1, "hz": 4000, "least": 260})
    part.set(0, 0)
    assert [duty for _, duty in lab.heard(b"pwm", 25)] == [0]


def test_the_lab_sees_a_pwm_that_was_told_no_duty_flash():
    # Positive control: the chip's own default is half.
    lab = power_up()
    machine.PWM(machine.Pin(25), freq=4000)
    assert lab.heard(b"pwm", 25) == [(4000, 32768)]


def test_one_percent_is_visible_after_the_chips_rounding():
    lab = power_up()
    part = lamp.make({"pin": 25, "active": 1, "hz": 4000, "least": 260})
    duties = []
    for percent in (1, 2, 50, 100, 0):
        part.set(percent, 0)
        duties.append(lab.heard(b"pwm", 25)[-1][1])
    assert 250 <= duties[0] < duties[1] < duties[2] < duties[3]
    assert duties[3] > 65500 and duties[4] == 0


def test_an_inverted_lamp_is_dark_while_its_pin_is_high():
    lab = power_up()
    part = lamp.make({"pin": 25, "active": 0, "hz": 4000, "least": 260})
    assert lab.heard(b"pwm", 25) == [(4000, 65536)]
    part.set(100, 0)
    assert lab.heard(b"pwm", 25)[-1][1] < 40


def test_both_channels_of_a_tunable_lamp_share_a_frequency():
    lab = power_up()
    wiring = {"warm": 25, "cool": 26, "warm_k": 2700, "cool_k": 6500, "active": 1, "hz": 4000}
    wiring["least"] = 260
    part = lamp.make(wiring)
    part.set(100, 0, kelvin=6500)
    assert lab.heard(b"pwm", 25)[-1] == (4000, 0)
    assert lab.heard(b"pwm", 26)[-1][1] > 65500


def test_a_buzzer_with_a_tone_of_its_own():
    for active in (0, 1):
        lab = power_up()
        part = buzzer.make({"pin": 25, "active": active})
        part.play("l100 -50 h100", 0)
        for now in range(0, 300, 25):
            part.tick(now)
        assert lab.edges(25) == [1 - active, active, 1 - active, active, 1 - active]


def test_a_buzzer_that_is_given_its_tone():
    lab = power_up()
    part = buzzer.make({"pin": 25, "hz": 2000})
    part.play("x100 h100 l100", 0)
    for now in range(0, 400, 25):
        part.tick(now)
    heard = lab.heard(b"pwm", 25)
    assert heard[0] == (2000, 0) and heard[-1][1] == 0
    assert [hz for hz, duty in heard if duty] == [2000, 4000, 1000]


def test_a_led():
    lab = power_up()
    part = led.make({"r": 25, "g": 26, "active": 0})
    part.play("g100", 0)
    part.tick(100)
    assert (lab.edges(25), lab.edges(26)) == ([1], [1, 0, 1])


def test_a_pir():
    power_up()
    part = pir.make({"pin": 34, "active": 1, "pull": "none", "warm_s": 0, "hold_s": 1})
    machine.Pin(34).change(1)
    now = ticks_ms()
    assert [part.sample(now) for _ in range(3)] == [False, True, False]
    machine.Pin(34).change(0)
    assert not part.sample(now)
    assert part.sample(ticks_add(now, 1000)) and not part.on


def test_a_keypad_and_its_ghosts():
    lab = power_up()
    model = Keypad(MATRIX["rows"], MATRIX["cols"])
    part = keypad.make(MATRIX)

    def press(*indexes):
        model.told([b"keys"] + [b"%d" % index for index in indexes])
        return [key for key in [part.sample() for _ in range(3)] if key]

    for index, key in enumerate(MATRIX["keys"]):
        assert press(index) == [key]
        assert press() == []
    assert press(0) == ["1"] and press(0, 1) == ["2"] and press(0, 1, 3) == []
    assert press(1, 3) == [] and press() == [] and press(4) == ["5"]
    assert set(lab.said.split()) == {b"keys"}, "scanning is no event, only that a press was seen"


def test_the_model_shows_the_ghost():
    power_up()
    model = Keypad(MATRIX["rows"], MATRIX["cols"])
    part = keypad.make(MATRIX)
    model.told([b"keys", b"0", b"1", b"3"])
    assert part._scan() == 0b11011


async def test_wiegand_interrupts_allocate_nothing_while_a_card_comes():
    power_up()
    model = Wiegand(18, 19)
    part = wiegand.make({"d0": 18, "d1": 19})
    # 34 bits of ones but for the parity: more than a small int of an ESP32 holds.
    model.told([b"wiegand", b"0" + b"1" * 32 + b"1"])
    assert await part.poll() is None
    sleep_ms(30)
    assert await part.poll() == b"\xff\xff\xff\xff"
    model.told([b"wiegand", b"0101"])
    sleep_ms(30)
    assert await part.poll() is None and part.sample() == "5"
    assert part.bad == 0


def test_the_lab_catches_a_handler_that_allocates():
    # Positive control.
    power_up()
    model = Wiegand(18, 19)
    got = []
    line = machine.Pin(18, machine.Pin.IN)
    line.irq(lambda _pin: got.append(bytearray(20)), machine.Pin.IRQ_FALLING)
    try:
        model.told([b"wiegand", b"0"])
        raise AssertionError("it went unnoticed")
    except MemoryError:
        pass
    # And the heap is open again.
    assert len(bytearray(1000)) == 1000


def turned(part, seconds):
    # The states that it went through.
    seen = []
    start = ticks_ms()
    while ticks_diff(ticks_ms(), start) < seconds * 1000:
        if part.sample(ticks_ms()):
            seen.append(part.state)
        sleep_ms(10)
    return seen


def test_a_servo_turns_its_bolt_and_lets_go():
    lab = power_up()
    model = Padlock(SERVO)
    part = padlock.make(SERVO)
    assert part.state == "locked"
    assert [duty for _, duty in lab.heard(b"pwm", 26)] == [0]
    part.unlock(ticks_ms())
    assert turned(part, 0.6) == ["unlocked"]
    assert model.place > 990
    part.lock(ticks_ms())
    assert turned(part, 0.6) == ["locked"]
    duties = [duty for _, duty in lab.heard(b"pwm", 26)]
    # 2 ms and 1 ms of 20, and nothing after each.
    pulses = [duty * 20000 / 65536 for duty in duties if duty]
    assert len(pulses) == 2 and abs(pulses[0] - 2000) < 5 and abs(pulses[1] - 1000) < 5, pulses
    assert duties[-1] == 0 and part.drive.energised_ms() == 0


def test_a_servo_that_is_held_is_jammed_and_let_go():
    lab = power_up()
    model = Padlock(SERVO)
    part = padlock.make(SERVO)
    model.told([b"jam", b"1"])
    part.unlock(ticks_ms())
    assert turned(part, 1.6) == ["jammed"]
    assert lab.heard(b"pwm", 26)[-1][1] == 0
    model.told([b"jam", b"0"])
    part.unlock(ticks_ms())
    assert turned(part, 0.6) == ["unlocked"]


def test_a_solenoid_pulls_for_its_pulse():
    lab = power_up()
    Padlock(SOLENOID)
    part = padlock.make(SOLENOID)
    part.unlock(ticks_ms())
    assert turned(part, 0.9) == ["unlocked", "locked"]
    assert lab.edges(27) == [0, 1, 0]


def test_a_solenoid_is_cut_by_who_watches_it():
    lab = power_up()
    part = padlock.make(dict(SOLENOID, pulse_ms=60000))
    assert part.drive.move_ms == 3000
    part.unlock(ticks_ms())
    # As the supervisor does when the loop that would end the pulse hangs.
    assert part.drive.enforce(0)
    assert lab.edges(27) == [0, 1, 0]
