"""The table from readings to the next wire: each row finds its fault and no other does; a board in order has none."""

from typing import Any

import pytest
from stage import WIRINGS

from doorward.boards import names
from doorward.data import data_root
from doorward.domain.diagnosis import RULES, Readings, diagnose
from doorward.domain.wiring import Terminal, Wiring

DOOR = WIRINGS.wiring("door-esp32")
VAULT = WIRINGS.wiring("vault-esp32")
LAMP = WIRINGS.wiring("lamp-esp32")
COMBINED = WIRINGS.wiring("combined-esp32")
WIEGAND = Wiring(
    {"reader": {"driver": "wiegand", "d0": 18, "d1": 19}},
    {"reader.d0": Terminal("D0 (green)", 18, ""), "reader.d1": Terminal("D1 (white)", 19, "")},
    {},
)
KEYPAD = Wiring(
    {"keypad": {"rows": [4, 5], "cols": [12, 13], "keys": "12AB"}},
    {"keypad.cols[1]": Terminal("column 2", 13, ""), "keypad.rows[1]": Terminal("row 2", 5, "")},
    {},
)
I2C = Wiring({"reader": {"driver": "pn532", "bus": "i2c", "sda": 21, "scl": 22}}, {}, {})

FINE: dict[str, dict[str, Any]] = {
    "board": {"heap": 20_000, "uptime": 90, "clock": True, "rssi": -60, "resets": 0, "tls": True},
    "flash": {"free": 900, "size": 2048, "same": True, "ms": 12},
    "inputs": {"of": 80, "contact.pin": 0, "rex.pin": 80, "tamper.pin": 0},
    "reader": {"chip": "mfrc522", "version": 0x92, "antenna": True, "configured": True},
    "broker": {"echoes": 0},
    "lock": {"first": 0, "held": [40, 0, 0], "released": [30, 28, 1]},
}
SILENT = {"chip": "mfrc522", "version": 0, "antenna": False, "configured": False}
STAYED = {"first": 0, "held": [40, 0, 0], "released": [60, 0, 0]}


def readings(part: str, **changes: object) -> Readings:
    """As a board in order reads, but for some of one part."""
    return {**FINE, part: {**FINE[part], **changes}}


def only(part: str, **values: object) -> Readings:
    return {**FINE, part: values}


# The finding, what was read, the wiring, and words that its sentence must have.
CASES: tuple[tuple[str, Readings, Wiring, str], ...] = (
    (
        "reader.swapped",
        only("reader", **SILENT, up=255, down=0, swap=["mosi", "miso"]),
        DOOR,
        "exchange the wires of MOSI (GPIO 23, pin 2 from the top on the right) and MISO (GPIO 19",
    ),
    ("reader.select", only("reader", **SILENT, up=255, down=0, cs=5), DOOR, "GPIO 5 (pin 10 from"),
    ("reader.held", only("reader", **SILENT, up=0, down=0), DOOR, "MISO (GPIO 19, pin 8 from"),
    (
        "reader.held",
        only("reader", **{**SILENT, "version": 255}, up=255, down=255),
        DOOR,
        "touches 3.3 V",
    ),
    ("reader.silent", only("reader", **SILENT, up=255, down=0), DOOR, "3.3V and GND first"),
    ("reader.silent", only("reader", **{**SILENT, "version": 255}), DOOR, "0xff"),
    ("reader.noise", readings("reader", version=0x24), DOOR, "SCK (GPIO 18"),
    ("reader.supply", readings("reader", antenna=False), DOOR, "100 µF"),
    ("reader.supply", readings("reader", configured=False), DOOR, "100 µF"),
    ("reader.pn532", only("reader", chip="pn532", version=0), DOOR, "1 off, 2 on"),
    ("reader.pn532", only("reader", chip="pn532", version=0), I2C, "1 on, 2 off"),
    ("reader.antenna", only("reader", chip="pn532", version=50, antenna=0xC0), DOOR, "coil"),
    ("reader.restarts", readings("board", resets=12, uptime=600), DOOR, "12 times in 10 minutes"),
    ("wiegand.d0", only("inputs", of=80, **{"reader.d0": 0, "reader.d1": 80}), WIEGAND, "GPIO 18"),
    ("wiegand.d1", only("inputs", of=80, **{"reader.d0": 80, "reader.d1": 0}), WIEGAND, "GPIO 19"),
    ("keypad.column", only("inputs", of=80, keypad=[2, 2, 2]), KEYPAD, "Column 2"),
    ("keypad.key", only("inputs", of=80, keypad=[0, 2, 0]), KEYPAD, "The key B is pressed"),
    ("rex.pressed", readings("inputs", **{"rex.pin": 0}), DOOR, "GPIO 33"),
    ("button.pressed", readings("inputs", **{"button.pin": 0}), LAMP, "GPIO 27"),
    ("tamper.open", readings("inputs", **{"tamper.pin": 80}), DOOR, "GPIO 27"),
    ("pir.stuck", readings("inputs", **{"tamper.pin": 0, "pir.pin": 80}), COMBINED, "GPIO 34"),
    ("relay.inverted", only("lock", first=0, held=[40, 30, 1], released=[0, 0, 0]), DOOR, "NC"),
    ("relay.inverted", only("lock", first=0, held=[40, 30, 1], released=[9, 9, 0]), DOOR, "NC"),
    ("contact.off", only("lock", first=1, held=[40, 40, 0], released=[0, 0, 0]), DOOR, "GPIO 32"),
    ("contact.inverted", only("lock", first=1, held=[9, 5, 1], released=[0, 0, 0]), DOOR, "kind"),
    ("contact.inverted", only("lock", first=1, held=[9, 9, 0], released=[9, 2, 1]), DOOR, "kind"),
    ("relay.dead", only("lock", **STAYED, click=False), DOOR, "IN (GPIO 25"),
    ("lock.supply", only("lock", **STAYED, click=True), DOOR, "own supply"),
    ("lock.unmoved", only("lock", **STAYED), DOOR, "say whether the relay clicked"),
    ("flash.worn", readings("flash", same=False), DOOR, "replace"),
    ("flash.full", readings("flash", errno=28, same=True), DOOR, "full"),
    ("flash.full", readings("flash", free=8), DOOR, "8 KiB"),
    ("log.fails", readings("flash", unlogged=3), DOOR, "did not take 3 events: it had no room"),
    ("log.fails", readings("flash", unlogged=3, refused=False), DOOR, "test it again"),
    ("log.fails", readings("flash", unlogged=3, refused=True), DOOR, "in the audit, then replace"),
    ("broker.rules", readings("broker", echoes=1), DOOR, "acl list"),
    ("wifi.weak", readings("board", rssi=-86), DOOR, "-86 dBm"),
    ("clock.unset", readings("board", clock=False), DOOR, "90 s"),
    ("heap.low", readings("board", heap=3000), DOOR, "3000 bytes"),
)


def codes(read: Readings, wiring: Wiring, leave_out: str = "") -> list[str]:
    rules = [rule for rule in RULES if rule.code != leave_out]
    return [finding.code for finding in diagnose(read, wiring, rules)]


@pytest.mark.parametrize("name", names(data_root() / "boards"))
def test_a_board_in_order_has_no_findings(name: str) -> None:
    assert codes(FINE, WIRINGS.wiring(name)) == []


@pytest.mark.parametrize(("code", "read", "wiring", "words"), CASES)
def test_each_fault_is_found_by_its_row_and_by_no_other(
    code: str, read: Readings, wiring: Wiring, words: str
) -> None:
    found = diagnose(read, wiring)
    assert [finding.code for finding in found] == [code]
    assert words in found[0].sentence
    assert found[0].sentence.endswith(".")
    assert "\n" not in found[0].sentence
    # The mutant: without its row nobody finds it, so the row is what does.
    assert codes(read, wiring, leave_out=code) == []


def test_every_row_has_a_case() -> None:
    assert {case[0] for case in CASES} == {rule.code for rule in RULES}


def test_the_wire_to_move_comes_before_what_can_wait() -> None:
    both = {**readings("board", rssi=-90), "reader": {**SILENT, "up": 255, "down": 0, "cs": 5}}
    assert codes(both, DOOR) == ["reader.select", "wifi.weak"]


@pytest.mark.parametrize(
    "read",
    [
        {},
        {"reader": {}},
        {"reader": {"chip": "mfrc522", "version": "0x92"}},
        {"reader": {"chip": "mfrc522", "version": True, "swap": 7}},
        {"reader": {"chip": "mfrc522", "version": 0, "swap": ["mosi"], "up": [], "down": {}}},
        {"inputs": {"of": 0, "rex.pin": 0}},
        {"inputs": {"of": "80", "rex.pin": 0, "keypad": "x"}},
        {"inputs": {"of": 80, "keypad": [None, {}]}},
        {"lock": {"first": 2, "held": [1, 1], "released": "x", "click": "yes"}},
        {"lock": {"first": 0, "held": [1, "a", None], "released": [0, 0, 0]}},
        {"board": {"rssi": "strong", "uptime": None, "clock": None, "heap": None, "resets": {}}},
        {"flash": {"free": "much"}, "broker": {"echoes": "one"}},
    ],
)
@pytest.mark.parametrize("wiring", [DOOR, VAULT, KEYPAD, Wiring({}, {}, {})])
def test_what_no_board_says_breaks_nothing(read: Readings, wiring: Wiring) -> None:
    for finding in diagnose(read, wiring):
        assert finding.sentence


def test_a_pin_that_an_outer_wire_may_be_on_is_never_one_in_use() -> None:
    for name in names(data_root() / "boards"):
        wiring = WIRINGS.wiring(name)
        used = {terminal.gpio for terminal in wiring.terminals.values()}
        assert not used & set(wiring.near)
    assert DOOR.near[0] == 5


def test_a_profile_that_is_gone_leaves_a_diagnosis_without_pins() -> None:
    bare = WIRINGS.wiring("no-such-board")
    (finding,) = diagnose(only("reader", **SILENT, swap=["mosi", "miso"]), bare)
    assert "exchange the wires of MOSI and MISO" in finding.sentence
    assert WIRINGS.diagram("no-such-board", ()) is None
