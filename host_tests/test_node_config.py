# What a board was installed with: every field is checked, and named when it is wrong.

from support import raises

from doorward_node.config import ConfigError, check


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


def test_a_broker_has_an_address_and_not_a_name():
    for host in ("broker.lan", "localhost", "192.168.1", "192.168.1.256", "::1", "", None, 1):
        assert refused("broker.host", host) == "broker.host"


def test_a_claim_code_is_one_when_there_is_one():
    check(dict(good(), claim="ef" * 16, board="esp32-devkit-door"), True)
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
