# What a board was installed with: every field is checked, and named when it is wrong.

from support import raises

from doorward_node.config import ConfigError, check
from doorward_node.config_pins import check as check_pins


def good():
    return {
        "id": "front",
        "base": "doorward",
        "broker": {"host": "192.168.1.20", "port": 1883},
        "secret": "ab" * 32,
        "key": "cd" * 32,
        "key_epoch": 1,
        "pins": {
            "strike": {"pin": 25, "active": 1},
            "reader": {"spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 21},
        },
        "door": {"strike_s": 5, "cap_s": 10, "held_s": 30},
        "poll_ms": 50,
    }


def refused(path, value):
    # The field that is named when this one has that value.
    config = place = good()
    *folders, name = path.split(".")
    for folder in folders:
        place = place[folder]
    place[name] = value
    return str(raises(ConfigError, check, config, True)).split(":")[0]


def test_what_is_right_passes():
    check(good(), True)


def test_numbers_have_a_range_and_true_is_none():
    for name, low, high in (
        ("broker.port", 1, 65535),
        ("pins.strike.active", 0, 1),
        ("door.strike_s", 1, 60),
        ("door.cap_s", 2, 60),
        ("door.held_s", 1, 86400),
        ("poll_ms", 10, 1000),
    ):
        for value in (low - 1, high + 1, True, None, "1", 1.5):
            assert refused(name, value) == name


def test_a_broker_has_an_address_or_a_whole_name():
    config = good()
    for host in ("192.168.1.20", "gateway.local", "door-1.school.example"):
        config["broker"]["host"] = host
        check(config, True)
    for host in ("localhost", "192.168.1", "192.168.1.256", "::1", "a..b", "-a.lan", "a_b.lan"):
        assert refused("broker.host", host) == "broker.host"
    for host in ("", ".", "a.lan.", "a" * 64 + ".lan", "a." * 127 + "lan", None, 1):
        assert refused("broker.host", host) == "broker.host"


def test_a_claim_code_is_one_when_there_is_one():
    check(dict(good(), claim="ef" * 16, board="door-esp32"), True)
    for value in ("ef" * 15, "xy" * 16, "", None, 1):
        assert refused("claim", value) == "claim"


def test_a_former_key_is_a_key_when_there_is_one():
    check(dict(good(), former_key="ef" * 32), True)
    for value in ("ef" * 31, "xy" * 32, None, 1):
        assert refused("former_key", value) == "former_key"


def test_without_certificates_it_is_the_own_machine_or_nothing():
    config = good()
    assert "/tls" in str(raises(ConfigError, check, config, False))
    config["broker"]["host"] = "127.0.0.1"
    check(config, False)


def test_the_name_of_the_broker_is_one():
    for name in ("", None, 1):
        assert refused("broker.name", name) == "broker.name"
    config = good()
    config["broker"]["name"] = "broker.lan"
    check(config, True)


def test_a_vault_needs_a_padlock_and_something_to_ask_for_credentials():
    vault = dict(good(), role="vault")
    assert "pins.padlock: a vault needs a padlock" in str(raises(ConfigError, check, vault, True))
    padlock = {"driver": "solenoid", "pin": 25, "active": 1, "pulse_ms": 500}
    vault["pins"] = {"padlock": padlock}
    assert "pins.reader: a vault needs a reader or keypad" in str(
        raises(ConfigError, check, vault, True)
    )
    vault["pins"]["keypad"] = {"driver": "wiegand", "d0": 32, "d1": 33}
    check(vault, True)
    assert vault["profile"] == "secure"
    check(dict(vault, profile="classic"), True)
    for profile in ("Classic", "", None, 1):
        error = raises(ConfigError, check, dict(vault, profile=profile), True)
        assert str(error) == "profile: need secure or classic"


def test_a_board_does_what_there_is_a_program_for():
    check(dict(good(), role="door"), True)
    for role in ("safe", "Door", "", None, 1):
        config = dict(good(), role=role)
        assert "role: this firmware has a program for combined, door, lamp, motion, vault" in str(
            raises(ConfigError, check, config, True)
        )


def test_what_a_board_is_there_for_it_has():
    pir = {"pin": 27, "active": 1, "warm_s": 0, "hold_s": 10}
    lamp = {"pin": 25, "active": 1, "hz": 1000, "least": 400}
    for role, part, pins in (("motion", "pir", pir), ("lamp", "lamp", lamp)):
        check(dict(good(), role=role, pins={part: pins}), True)
        error = raises(ConfigError, check, dict(good(), role=role, pins={}), True)
        assert str(error) == "pins." + part + ": a " + role + " needs a " + part
    config = dict(good(), role="combined")
    error = raises(ConfigError, check, config, True)
    assert str(error) == "pins.pir: a combined needs a pir or lamp"
    config["pins"]["lamp"] = lamp
    check(config, True)


def test_a_file_of_before_there_were_roles_is_a_doors():
    config = good()
    check(config, True)
    assert config["role"] == "door"


def test_a_door_has_a_strike_and_a_reader():
    for part in ("strike", "reader"):
        config = good()
        del config["pins"][part]
        assert str(raises(ConfigError, check, config, True)).startswith("pins." + part)


# Every part, and every driver that it may have.
PARTS = {
    "strike": [{"pin": 25, "active": 1}, {"pin": 25, "active": 0, "fail": "safe"}],
    "contact": [{"pin": 32, "closed": 0}, {"pin": 34, "closed": 0, "pull": "none"}],
    "rex": [{"pin": 33, "active": 0}],
    "button": [{"pin": 26, "active": 0}],
    "tamper": [{"pin": 27, "active": 1, "pull": "up"}],
    "pir": [{"pin": 34, "active": 1, "warm_s": 60, "hold_s": 10, "pull": "none"}],
    "battery": [{"pin": 34, "ratio": 2}, {"pin": 34, "ratio": 2.5}],
    "buzzer": [{"pin": 26, "active": 1}, {"pin": 26, "hz": 2700}],
    "led": [{"g": 4, "active": 1}, {"r": 1, "g": 4, "b": 5, "active": 0}],
    "lamp": [
        {"pin": 25, "active": 1, "hz": 1000, "least": 400},
        {
            "warm": 25,
            "cool": 26,
            "warm_k": 2700,
            "cool_k": 6500,
            "active": 1,
            "hz": 1000,
            "least": 0,
        },
    ],
    "reader": [
        {"spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 21},
        {"driver": "mfrc522", "spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 21, "rst": 22},
        {
            "driver": "pn532",
            "bus": "spi",
            "spi": 1,
            "sck": 12,
            "mosi": 11,
            "miso": 13,
            "cs": 10,
            "irq": 9,
        },
        {"driver": "pn532", "bus": "i2c", "i2c": 0, "sda": 5, "scl": 6, "irq": 7},
        {"driver": "wiegand", "d0": 4, "d1": 5},
    ],
    "keypad": [
        {"driver": "matrix", "rows": [1, 2], "cols": [3], "keys": "12"},
        {"driver": "wiegand", "d0": 4, "d1": 5},
    ],
    "padlock": [
        {
            "driver": "servo",
            "pin": 25,
            "locked_us": 1000,
            "unlocked_us": 2000,
            "move_ms": 500,
            "switch": {"pin": 26, "locked": 0},
        },
        {"driver": "solenoid", "pin": 25, "active": 1, "pulse_ms": 1000},
    ],
}
OPTIONAL = ("fail", "pull", "rst", "irq", "switch", "r", "g", "b")


def test_every_part_passes_and_each_of_its_fields_is_checked():
    for part, kinds in PARTS.items():
        for fields in kinds:
            check_pins({part: fields})
            for name in fields:
                path = "pins." + part + "." + name
                if name == "warm":
                    continue  # with another value there, it is a lamp of another kind
                for value in ("" if name == "keys" else "x", True, -1, 99999, [], {}):
                    wrong = dict(fields)
                    wrong[name] = value
                    error = raises(ConfigError, check_pins, {part: wrong})
                    assert str(error).startswith(path), error
                without = dict(fields)
                del without[name]
                if name in OPTIONAL or (part == "buzzer" and name != "pin"):
                    check_pins({part: without})
                elif not (part == "reader" and name == "driver"):
                    assert str(raises(ConfigError, check_pins, {part: without})).startswith(path)


def test_the_switch_of_a_padlock_is_checked_too():
    for switch in ({"locked": 0}, {"pin": 26}, {"pin": 26, "locked": 2}, 7):
        error = raises(
            ConfigError, check_pins, {"padlock": dict(PARTS["padlock"][1], switch=switch)}
        )
        assert str(error).startswith("pins.padlock.switch"), error


def test_a_part_that_there_is_not_is_named():
    assert str(raises(ConfigError, check_pins, {"siren": {"pin": 4}})).startswith("pins.siren")
    assert str(raises(ConfigError, check_pins, {"strike": 25})).startswith("pins.strike")
    for pins in (None, [], "strike"):
        assert str(raises(ConfigError, check_pins, pins)).startswith("pins:")
