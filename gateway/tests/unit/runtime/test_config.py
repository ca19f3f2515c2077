"""Settings: file, environment, command line; and one clear line for each mistake."""

from dataclasses import fields
from pathlib import Path

import pytest

from doorward import config
from doorward.broker import Limits
from doorward.config.sections import MqttLimits
from doorward.errors import ConfigError
from doorward.runtime.process.file_limit import broker_limits


def write(directory: Path, text: str) -> Path:
    (directory / "doorward.toml").write_text(text)
    return directory


def test_nothing_set_is_a_good_start(tmp_path: Path) -> None:
    settings = config.load(tmp_path, environ={})
    mqtt = settings.mqtt
    assert (settings.web.port, mqtt.port, mqtt.plain_port) == (8080, 8883, 1883)
    assert (mqtt.websocket_port, mqtt.websocket_origins, mqtt.limits.given()) == (9001, (), {})
    assert (settings.web.host, mqtt.host) == ("127.0.0.1", "0.0.0.0")
    assert not settings.web.https
    assert "localhost" in settings.names


def test_later_words_win(tmp_path: Path) -> None:
    write(tmp_path, 'timezone = "Europe/Berlin"\n[web]\nport = 1\n[mqtt]\nport = 2')
    defaults = {"timezone": "UTC", "mqtt": {"port": 9}}
    settings = config.load(tmp_path, defaults=defaults, environ={"DOORWARD_WEB_PORT": "3"})
    assert (settings.timezone, settings.web.port, settings.mqtt.port) == ("Europe/Berlin", 3, 2)
    settings = config.load(tmp_path, port_base=70, environ={"DOORWARD_WEB_PORT": "3"})
    assert (settings.web.port, settings.mqtt.port, settings.mqtt.plain_port) == (70, 71, 72)
    assert settings.mqtt.websocket_port == 73


def test_any_free_port_for_boards_is_any_for_the_rest(tmp_path: Path) -> None:
    assert config.load(tmp_path, defaults={"mqtt": {"port": 0}}, environ={}).mqtt.plain_port == 0
    assert (
        config.load(tmp_path, defaults={"mqtt": {"port": 0}}, environ={}).mqtt.websocket_port == 0
    )
    environ = {"DOORWARD_MQTT_PORT": "0"}
    assert config.load(tmp_path, environ=environ).mqtt.plain_port == 0
    wanted = {"mqtt": {"port": 0, "plain_port": 7}}
    assert config.load(tmp_path, defaults=wanted, environ={}).mqtt.plain_port == 7


@pytest.mark.parametrize(
    ("host", "https"),
    [("localhost", False), ("::1", False), ("0.0.0.0", True), ("192.168.1.5", True), ("::", True)],
)
def test_the_page_is_plain_where_no_other_machine_can_reach_it(
    tmp_path: Path, host: str, https: bool
) -> None:
    settings = config.load(tmp_path, environ={"DOORWARD_WEB_HOST": host})
    assert settings.web.https is https


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timezon = 'UTC'", "timezon is not a setting; did you mean timezone?"),
        ("[web]\nprt = 1", "web.prt is not a setting; did you mean port?"),
        ("[web]\nport = 99999", "web.port: "),
        (
            "timezone = 'Berlin'",
            "timezone: 'Berlin' is no time zone; use a name like Europe/Berlin",
        ),
        ("base = 'a/#'", "base: 'a/#' cannot be the base of all topics"),
        ("[mqtt]\nhost = 'broker.lan'", "mqtt.host: boards speak IPv4"),
        ("[mqtt]\nhost = '::1'", "mqtt.host: boards speak IPv4"),
        ("[web]\nhost = 'door.lan'", "web.host: this is no address; use one of this machine"),
        ("port = ", "is not TOML: "),
        ("[mqtt.limits]\nqueud = 1", "mqtt.limits.queud is not a setting; did you mean queued?"),
        ("[mqtt.limits]\npacket = 5", "mqtt.limits.packet: "),
        (
            "[mqtt]\nwebsocket_origins = ['https://a.example/']",
            "is no origin; use one like https://door.example:8080",
        ),
        ("directory = '/tmp'", "directory is not set there; use --data"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        config.load(write(tmp_path, text), environ={})
    assert "doorward.toml" in refused.value.message
    assert said in refused.value.message
    assert "\n" not in refused.value.message


def test_limits_go_to_the_broker_under_its_own_names(tmp_path: Path) -> None:
    write(tmp_path, "[mqtt.limits]\nqueued = 7\nconnections = 9")
    given = config.load(tmp_path, environ={}).mqtt.limits.given()
    limits = broker_limits(given)
    assert (limits.queued, limits.connections, limits.packet) == (7, 9, Limits().packet)
    assert set(MqttLimits.model_fields) <= {field.name for field in fields(Limits)}
