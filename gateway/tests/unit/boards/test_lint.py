"""Faults planted into good profiles, on every chip: each is refused, by its field, with a pin that would do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage.boards import FOLDER, NAMES, Content, changed, content, parsed

from doorward import boards
from doorward.boards.chips import CHIPS, Chip
from doorward.boards.devkits import KITS
from doorward.boards.lint import Finding, idle_level, lint
from doorward.boards.pins import PinUse, pin_uses
from doorward.boards.schema.part import Use
from doorward.boards.schema.profile import Profile
from doorward.errors import InvalidInput

PROFILES = {name: boards.load(FOLDER, name) for name in NAMES}
INPUTS = (Use.INPUT, Use.SWITCH, Use.ANALOG)
DRIVES = (Use.OUTPUT, Use.BUS, Use.ACTUATOR)


@dataclass(frozen=True)
class Fault:
    """One way to get it wrong: which pins of a profile it can be planted at, to which GPIO, and what lint says."""

    said: str
    pins: Callable[[Chip, Profile, PinUse], Iterable[int]]


def _active(profile: Profile, use: PinUse) -> int:
    return 1 - idle_level(profile.parts()[use.part])


def _named_before(profile: Profile, use: PinUse) -> list[int]:
    uses = list(pin_uses(profile))
    return [other.gpio for other in uses[: uses.index(use)]]


FAULTS = {
    "a pin used twice": Fault(
        "already",
        lambda chip, profile, use: _named_before(profile, use),
    ),
    "flash and PSRAM": Fault("flash", lambda chip, profile, use: chip.flash),
    "the console": Fault("console", lambda chip, profile, use: chip.uart0),
    "USB": Fault("USB", lambda chip, profile, use: chip.usb),
    "strapping pins on what moves, and on inputs": Fault(
        "strapping",
        lambda chip, profile, use: chip.strapping if use.use in (Use.ACTUATOR, *INPUTS) else (),
    ),
    "pins that the chip lacks": Fault(
        "has no GPIO", lambda chip, profile, use: set(range(64)) - chip.pins
    ),
    "pins that the board keeps to itself": Fault(
        "not brought out",
        lambda chip, profile, use: [pin for pin in chip.free() if not KITS[chip.name].has(pin)],
    ),
    "outputs that can only be read": Fault(
        "can only be read",
        lambda chip, profile, use: chip.input_only if use.use in DRIVES else (),
    ),
    "contacts without a pull-up": Fault(
        "no pull-up", lambda chip, profile, use: chip.input_only if use.use is Use.SWITCH else ()
    ),
    "ADC2 beside Wi-Fi": Fault(
        "ADC2", lambda chip, profile, use: chip.adc2 if use.use is Use.ANALOG else ()
    ),
    "a voltage where nothing measures": Fault(
        "measures no voltage",
        lambda chip, profile, use: (
            chip.pins - chip.adc1 - chip.adc2 if use.use is Use.ANALOG else ()
        ),
    ),
    "a pin that moves by itself": Fault(
        "at power-up",
        lambda chip, profile, use: (
            [pin for pin, levels in chip.driven.items() if _active(profile, use) in levels]
            if use.use is Use.ACTUATOR
            else ()
        ),
    ),
}


def _places(fault: Fault) -> list[tuple[str, PinUse, int]]:
    found = []
    for name, profile in PROFILES.items():
        chip = CHIPS[profile.chip]
        for use in pin_uses(profile):
            found += [(name, use, pin) for pin in fault.pins(chip, profile, use)]
    return found


def at(findings: list[Finding], field: str) -> list[Finding]:
    return [finding for finding in findings if finding.field == field]


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_is_accepted(name: str) -> None:
    assert lint(PROFILES[name]) == []


def test_every_role_is_there_for_every_chip() -> None:
    roles = ("door", "vault", "motion", "lamp", "combined")
    assert set(NAMES) == {f"{role}-{chip}" for role in roles for chip in CHIPS}
    for name, profile in PROFILES.items():
        assert name == f"{profile.role}-{profile.chip}"


@pytest.mark.parametrize("kind", FAULTS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_planted_fault_is_refused(kind: str, data: st.DataObject) -> None:
    fault = FAULTS[kind]
    name, use, pin = data.draw(st.sampled_from(_places(fault)))
    wrong = changed(content(name), use.field, pin)
    found = [one for one in at(lint(parsed(wrong)), use.field) if fault.said in one.why]
    assert found, f"{name}: {use.field} on GPIO {pin} passed as {kind}"
    assert f"GPIO {pin}" in found[0].why
    # What it proposes would do: nothing is said about that field any more.
    proposed = found[0].would_do
    if proposed is not None:
        assert f"GPIO {proposed} would do" in found[0].remedy
        better = changed(wrong, use.field, proposed)
        assert at(lint(parsed(better)), use.field) == []


ONLY_ESP32 = {
    "pins that the board keeps to itself",
    "outputs that can only be read",
    "contacts without a pull-up",
}


@pytest.mark.parametrize("chip", CHIPS)
def test_every_kind_that_a_chip_knows_is_planted_on_it(chip: str) -> None:
    planted = {
        kind
        for kind, fault in FAULTS.items()
        for name, _, _ in _places(fault)
        if PROFILES[name].chip == chip
    }
    known = {
        "esp32": {"USB", "a pin that moves by itself"},
        "esp32-s3": set(ONLY_ESP32),
        "esp32-c3": set(ONLY_ESP32),
    }
    lacking = known[chip]
    if chip == "esp32-c3":
        lacking |= {"a pin that moves by itself"} - planted  # driven high is its USB pin alone
    assert planted == set(FAULTS) - lacking


HELD = [
    (name, part)
    for name, profile in PROFILES.items()
    for part in profile.parts()
    if profile.parts()[part].resistor is not None
]


@pytest.mark.parametrize(("name", "part"), HELD)
def test_what_floats_at_reset_needs_its_resistor_to_the_right_side(name: str, part: str) -> None:
    field = f"{part}.resistor"
    good = content(name)
    (missing,) = at(lint(parsed(changed(good, field, None))), field)
    assert "while the chip starts" in missing.why
    right = good[part]["resistor"]["to"]
    assert f"10000 ohm to {right}" in missing.remedy
    wrong = changed(good, f"{field}.to", {"GND": "3V3", "3V3": "GND"}[right])
    (turned,) = at(lint(parsed(wrong)), field)
    assert turned.remedy == f"connect it to {right}"


def test_a_pin_that_the_chip_itself_keeps_safe_needs_none() -> None:
    moved = changed(changed(content("door-esp32"), "strike.pin", 4), "strike.resistor", None)
    assert lint(parsed(moved)) == []
    against = changed(moved, "strike.active", 0)
    assert [one.field for one in lint(parsed(against))] == ["strike.resistor"]


def test_a_magnet_is_safe_while_it_has_current() -> None:
    magnet = changed(content("door-esp32"), "strike.fail", "safe")
    (finding,) = lint(parsed(magnet))
    assert (finding.field, finding.remedy) == ("strike.resistor", "connect it to 3V3")
    assert lint(parsed(changed(magnet, "strike.resistor.to", "3V3"))) == []


def test_an_outside_resistor_makes_an_input_of_a_pin_that_can_only_be_read() -> None:
    outside = changed(content("door-esp32"), "contact.pin", 35)
    outside = changed(outside, "contact.resistor", {"ohm": 10_000, "to": "3V3"})
    assert [one.field for one in lint(parsed(outside))] == ["contact.pin"]
    assert lint(parsed(changed(outside, "contact.pull", "none"))) == []


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("door-esp32", "strike.cap_s", 61),
        ("door-esp32", "strike.cap_s", 1),
        ("vault-esp32-s3", "padlock.pulse_ms", 3001),
        ("vault-esp32-s3", "padlock.pulse_ms", 99),
        ("vault-esp32", "padlock.locked_us", 400),
        ("lamp-esp32", "lamp.hz", 50_000),
        ("lamp-esp32", "lamp.warm_k", 900),
        ("lamp-esp32", "lamp.cool_k", None),
        ("vault-esp32", "padlock.switch.locked", 3),
        ("vault-esp32", "buzzer.hz", None),
        ("vault-esp32", "led.g", None),
        ("door-esp32", "strike.pin", -1),
        ("door-esp32", "strike.pin", True),
        ("door-esp32", "strike.pin", "25"),
        ("door-esp32", "strike.active", 2),
        ("door-esp32", "strike.resistor.ohm", 10),
        ("door-esp32", "strike.resistor.to", "5V"),
        ("door-esp32", "strike.colour", "red"),
        ("door-esp32", "strike.fail", None),
        ("door-esp32", "reader.driver", "mrfc522"),
        ("door-esp32", "reader.sck", None),
        ("door-esp32", "siren", {"pin": 4}),
        ("door-esp32", "role", "doorbell"),
        ("door-esp32", "chip", "esp8266"),
        ("combined-esp32-c3", "reader.bus", "uart"),
    ],
)
def test_a_word_or_number_that_is_wrong_is_named(name: str, field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as wrong:
        parsed(changed(content(name), field, value))
    # What is said of a part as a whole is said of it.
    whole = field.endswith((".driver", ".bus", "buzzer.hz", "led.g"))
    named = field.rsplit(".", 1)[0] if whole else field
    assert wrong.value.field == named
    assert f" {named}: " in wrong.value.message


@pytest.mark.parametrize(
    ("name", "part"), [(n, p) for n, one in PROFILES.items() for p in one.parts()]
)
def test_a_part_that_the_role_cannot_do_without_is_missed(name: str, part: str) -> None:
    without = lint(parsed(changed(content(name), part, None)))
    needed = {
        "door": {"strike": "strike", "reader": "reader or keypad"},
        "vault": {"padlock": "padlock", "keypad": "reader or keypad"},
        "motion": {"pir": "pir"},
        "lamp": {"lamp": "lamp"},
        "combined": {"strike": "strike or padlock", "reader": "reader or keypad"},
    }
    asked = needed[PROFILES[name].role].get(part)
    assert [one.remedy for one in without] == ([f"name a {asked}"] if asked else [])
    assert [one.field for one in without] == ([asked.partition(" ")[0]] if asked else [])


def test_a_part_that_the_role_has_no_use_for_is_refused() -> None:
    strange: Content = changed(content("lamp-esp32"), "rex", {"pin": 33, "active": 1})
    (finding,) = lint(parsed(strange))
    assert finding.field == "rex"
    assert "no use for it" in finding.why


def test_a_bus_that_the_chip_lacks_and_a_keypad_that_does_not_add_up() -> None:
    assert [
        one.field for one in lint(parsed(changed(content("door-esp32-c3"), "reader.spi", 2)))
    ] == ["reader.spi"]
    keypad = changed(content("vault-esp32"), "keypad.keys", "123")
    assert [one.field for one in lint(parsed(keypad))] == ["keypad.keys"]
    still = changed(content("vault-esp32"), "padlock.unlocked_us", 1000)
    assert [one.field for one in lint(parsed(still))] == ["padlock.unlocked_us"]
