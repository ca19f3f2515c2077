"""A broker that is not ours, as the environment names it."""

from pathlib import Path

import pytest

from doorward import remote_broker
from doorward.errors import ConfigError
from doorward.remote_broker import TlsFiles


@pytest.mark.parametrize(
    ("url", "tls", "told"),
    [
        ("broker.lan", None, ("broker.lan", 1883, False)),
        ("broker.lan:1999", None, ("broker.lan", 1999, False)),
        ("mqtt://broker.lan", None, ("broker.lan", 1883, False)),
        ("mqtts://broker.lan", None, ("broker.lan", 8883, True)),
        ("ssl://broker.lan:99", None, ("broker.lan", 99, True)),
        ("broker.lan", True, ("broker.lan", 8883, True)),
        ("[::1]:1884", None, ("::1", 1884, False)),
        ("mqtts://10.0.0.1/", True, ("10.0.0.1", 8883, True)),
    ],
)
def test_a_broker_is_read(url: str, tls: bool | None, told: tuple[str, int, bool]) -> None:
    found = remote_broker.parse(url, TlsFiles(), tls=tls)
    assert (found.host, found.port, found.tls is not None) == told


@pytest.mark.parametrize(
    ("url", "tls", "said"),
    [
        ("mqtt://broker.lan", True, "asks for a plain connection to broker.lan, and TLS is wanted"),
        ("tcp://broker.lan:1883", True, "asks for a plain connection"),
        ("https://broker.lan", None, "is no broker; use one like mqtts://broker.lan:8883"),
        ("broker.lan:99999", None, "has no good port"),
        ("mqtt://", None, "is no broker"),
        ("broker.lan/a/b", None, "is no broker"),
    ],
)
def test_what_is_none_is_refused(url: str, tls: bool | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        remote_broker.parse(url, TlsFiles(), tls=tls)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        remote_broker.parse("mqtt://ada:tiger@broker.lan", TlsFiles())
    assert "leave them out of it" in refused.value.message
    assert "tiger" not in refused.value.message


def test_the_environment_is_read_as_a_whole() -> None:
    assert remote_broker.from_environment({}) is None
    assert remote_broker.from_environment({"MQTT_USE_TLS": "true"}) is None
    found = remote_broker.from_environment({"MQTT_BROKER_URL": "b", "MQTT_USE_TLS": "1"})
    assert found is not None
    assert (found.port, found.tls) == (8883, TlsFiles())
    files = {"MQTT_BROKER_URL": "b", "MQTT_CA_CERT_PATH": "/ca", "MQTT_KEY_FILE_PATH": "/k"}
    found = remote_broker.from_environment(files)
    assert found is not None
    assert found.tls == TlsFiles(Path("/ca"), None, Path("/k"))
    assert remote_broker.wants_tls({"MQTT_USE_TLS": "yes"})
    assert not remote_broker.wants_tls({"MQTT_USE_TLS": "no"})


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"MQTT_USE_TLS": "maybe"}, "MQTT_USE_TLS: 'maybe' is neither true nor false"),
        ({"MQTT_USE_TLS": "no", "MQTT_CA_CERT_PATH": "/ca"}, "MQTT_USE_TLS says no"),
        ({"MQTT_USE_TLS": "1", "MQTT_BROKER_URL": "mqtt://b:1883"}, "plain connection"),
    ],
)
def test_what_contradicts_itself_is_refused(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        remote_broker.from_environment(environ)


def test_a_file_that_is_not_what_it_should_be_is_named(tmp_path: Path) -> None:
    nothing, text = tmp_path / "none.pem", tmp_path / "text.pem"
    text.write_text("hello")
    for files, said in [
        (TlsFiles(ca=nothing), f"{nothing} cannot be read"),
        (TlsFiles(ca=text), f"{text} is no CA certificate"),
        (TlsFiles(certificate=text), f"{text} is no certificate with its key"),
        (TlsFiles(certificate=nothing), f"{nothing} cannot be read"),
        (TlsFiles(key=text), "is a key without its certificate"),
    ]:
        with pytest.raises(ConfigError) as refused:
            files.context()
        assert said in refused.value.message
