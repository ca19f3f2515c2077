"""A gateway at a broker that others keep, as MQTT_BROKER_URL names it."""

import json
import os
from pathlib import Path

import pytest
from broker_support import GATEWAY, running_broker, secret
from stage.house import MEMBER, furnish
from stage.online import OnlineBoard

from doorward import config
from doorward.broker import Policy
from doorward.config import Settings
from doorward.errors import ConfigError, StartupError
from doorward.runtime.brokers.foreign import ForeignSide
from doorward.runtime.gateway import Gateway

ANY_PORT = {"web": {"port": 0}, "mqtt": {"port": 0}, "timezone": "Europe/Berlin"}
KNOWN = {"MQTT_USERNAME": GATEWAY, "MQTT_PASSWORD": "x"}


def settings(directory: Path, **more: str) -> Settings:
    return config.load(directory, defaults={**ANY_PORT, **more}, environ={})


async def test_a_card_is_answered_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = await furnish(tmp_path / "site")
    (tmp_path / "theirs").mkdir()
    async with running_broker(tmp_path / "theirs", devices=()) as theirs:
        theirs.principals.add(enrolment.device, enrolment.secret, keep=False)
        monkeypatch.setenv("MQTT_BROKER_URL", f"127.0.0.1:{theirs.port}")
        monkeypatch.setenv("MQTT_USERNAME", GATEWAY)
        monkeypatch.setenv("MQTT_PASSWORD", secret(GATEWAY))
        gateway = Gateway(settings(tmp_path / "site"))
        await gateway.start()
        try:
            async with OnlineBoard(enrolment, theirs.port) as board:
                answer = json.loads(await board.tap(MEMBER, os.urandom(16)))
            assert answer["access_granted"] is True
            assert (gateway.boards_host, gateway.mqtt_port) == ("127.0.0.1", theirs.port)
            assert not (tmp_path / "site" / "broker.db").exists()
        finally:
            await gateway.stop()
            await gateway.wait()


@pytest.mark.parametrize(
    ("environ", "error", "said"),
    [
        ({"MQTT_BROKER_URL": "mqtts://broker.example"}, StartupError, "have to take anybody"),
        ({"MQTT_BROKER_URL": "10.0.0.9", **KNOWN}, StartupError, "is not secret; use mqtts://"),
        (
            {"MQTT_BROKER_URL": "mqtt://127.0.0.1", "MQTT_USE_TLS": "1", **KNOWN},
            ConfigError,
            "asks for a plain connection",
        ),
        (
            {"MQTT_BROKER_URL": "127.0.0.1", "MQTT_CA_CERT_PATH": "/nowhere/ca.pem", **KNOWN},
            ConfigError,
            "/nowhere/ca.pem cannot be read",
        ),
        ({"MQTT_BROKER_URL": "mqtts://nobody.invalid", **KNOWN}, StartupError, "knows the name"),
    ],
)
async def test_what_is_no_place_for_doors_is_refused(
    tmp_path: Path, environ: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await ForeignSide.find(settings(tmp_path), Policy(), environ)


async def test_one_broker_is_enough(tmp_path: Path) -> None:
    environ = {"MQTT_BROKER_URL": "127.0.0.1", **KNOWN}
    with pytest.raises(ConfigError, match="names a broker"):
        await ForeignSide.find(settings(tmp_path, broker="mosquitto"), Policy(), environ)
    assert await ForeignSide.find(settings(tmp_path), Policy(), {}) is None
