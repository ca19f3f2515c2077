"""The client behind `pub`, `sub` and the API, against real brokers: TLS or nothing, and every failure in one line."""

import asyncio
import base64
from pathlib import Path

import pytest
from broker_support import running_broker, secret, topic
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from tls_witness import Issuer

from doorward.adapters import mqtt_client
from doorward.adapters.mqtt_client import Login, MqttClient
from doorward.app.views.mqtt import MqttMessage
from doorward.broker import Role, Secure
from doorward.errors import ConfigError, InvalidInput, NotPermitted, NotSignedIn, Unavailable
from doorward.remote_broker import RemoteBroker, TlsFiles
from doorward.runtime.servers import tls
from doorward_core import topics

EVENTS = topic("front", topics.EVENTS)
# paho leaves a socket whose handshake failed to the garbage collector.
_LEFT_BY_PAHO = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)
FRONT = Login("front", secret("front"), "front")


class Known:
    """What a signer knows of one board's certificate."""

    def __init__(self, serial: int) -> None:
        self._serial = serial

    def serial(self, name: str) -> int | None:
        return self._serial if name == "front" else None

    def is_revoked(self, serial: int) -> bool:
        return serial != self._serial


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_what_is_published_is_heard(tmp_path: Path, qos: int) -> None:
    async with running_broker(tmp_path) as site:
        broker = RemoteBroker("127.0.0.1", site.port)
        gateway = Login("gateway", secret("gateway"), "gateway")
        async with MqttClient(broker, gateway) as hears, MqttClient(broker, FRONT) as says:
            assert await hears.subscribe([EVENTS], qos) == (qos,)
            await says.publish(EVENTS, b"x" * 100_000, qos)
            async with asyncio.timeout(10):
                assert await hears.message() == MqttMessage(EVENTS, b"x" * 100_000, qos, False)


async def test_who_is_refused_is_told_why(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as site:
        broker = RemoteBroker("127.0.0.1", site.port)
        with pytest.raises(NotSignedIn, match="wrong user name or password for 'front'"):
            await MqttClient(broker, Login("front", "wrong", "front")).__aenter__()
        with pytest.raises(NotSignedIn, match="client id 'other'"):
            await MqttClient(broker, Login("front", secret("front"), "other")).__aenter__()
        async with MqttClient(broker, FRONT) as client:
            with pytest.raises(NotPermitted, match="does not let front read 'school/#'"):
                await client.subscribe(["school/#"])
            with pytest.raises(InvalidInput):
                await client.publish("a/#", b"")
            with pytest.raises(InvalidInput):
                await client.subscribe(["a/#/b"])
    assert "wrong" not in repr(Login("front", "wrong", "front"))


async def test_the_gateways_own_clients_come_under_their_own_name_alone(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as site:
        name = "gateway-api"
        site.principals.add(name, secret(name), Role.API, keep=False)
        broker = RemoteBroker("127.0.0.1", site.port)
        async with (
            MqttClient(broker, Login(name, secret(name), f"{name}/1")) as one,
            MqttClient(broker, Login(name, secret(name), f"{name}/2")) as other,
        ):
            await one.subscribe(["school/#"])
            await other.publish("school/bell", b"x", 1)
            async with asyncio.timeout(10):
                assert await one.message() == MqttMessage("school/bell", b"x", 0, False)
        for client_id in ("front", name, "somebody"):
            with pytest.raises(NotSignedIn, match="client id"):
                await MqttClient(broker, Login(name, secret(name), client_id)).__aenter__()


async def test_who_fetches_nothing_is_closed_before_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_client, "_MOST_UNREAD_BYTES", 250_000)
    async with running_broker(tmp_path) as site:
        broker = RemoteBroker("127.0.0.1", site.port)
        gateway = Login("gateway", secret("gateway"), "gateway")
        async with MqttClient(broker, gateway) as hears, MqttClient(broker, FRONT) as says:
            await hears.subscribe([EVENTS], 1)
            async with asyncio.timeout(10):
                for _ in range(5):  # fetched one by one they may be as many as they like
                    await says.publish(EVENTS, bytes(100_000), 1)
                    assert await hears.message() is not None
                for _ in range(5):
                    await says.publish(EVENTS, bytes(100_000), 1)
                came = [await hears.message() for _ in range(3)]
            assert [one is None for one in came] == [False, False, True]


async def test_nobody_there_and_a_broker_that_leaves_are_told(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as site:
        broker = RemoteBroker("127.0.0.1", site.port)
        async with MqttClient(broker, FRONT) as client:
            await site.broker.stop()
            async with asyncio.timeout(10):
                assert await client.message() is None
            with pytest.raises(Unavailable):
                await client.publish(EVENTS, b"", 1)
    with pytest.raises(Unavailable, match=f"nobody to talk to at 127.0.0.1:{site.port}"):
        await MqttClient(broker, FRONT).__aenter__()


@_LEFT_BY_PAHO
async def test_over_tls_it_shows_its_certificate_and_asks_for_the_brokers(tmp_path: Path) -> None:
    issuer = Issuer()
    served = tls.for_boards(issuer.pem.encode())
    tls.load_chain(served, issuer.server(tmp_path / "server.pem", "localhost"))
    authority, shown = tmp_path / "ca.pem", tmp_path / "client.pem"
    authority.write_text(issuer.pem)
    device = issuer.device("front")
    certificate = x509.load_der_x509_certificate(base64.b64decode(device["cert.der"]))
    key = load_der_private_key(base64.b64decode(device["key.der"]), None)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shown.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    secure = Secure("127.0.0.1", 0, served)
    known = Known(certificate.serial_number)
    async with running_broker(tmp_path, secure=secure, certificates=known) as site:
        port = site.broker.secure_port
        files = TlsFiles(ca=authority, certificate=shown)
        async with MqttClient(RemoteBroker("localhost", port, files), FRONT) as client:
            await client.publish(EVENTS, b"x", 1)
        for wrong, where in [(TlsFiles(), "localhost"), (files, "127.0.0.1")]:
            with pytest.raises(Unavailable, match="is not who it should be"):
                await MqttClient(RemoteBroker(where, port, wrong), FRONT).__aenter__()
        with pytest.raises(Unavailable):
            await MqttClient(
                RemoteBroker("localhost", port, TlsFiles(ca=authority)), FRONT
            ).__aenter__()
        with pytest.raises(NotSignedIn, match="may not connect like this"):
            await MqttClient(RemoteBroker("127.0.0.1", site.port), FRONT).__aenter__()


@_LEFT_BY_PAHO
async def test_tls_never_becomes_plain(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as site:
        with pytest.raises(Unavailable, match="does this port speak TLS"):
            await MqttClient(RemoteBroker("127.0.0.1", site.port, TlsFiles()), FRONT).__aenter__()
        assert site.broker.status().sessions == 0
        missing = TlsFiles(ca=tmp_path / "nowhere.pem")
        with pytest.raises(ConfigError, match="nowhere"):
            await MqttClient(RemoteBroker("127.0.0.1", site.port, missing), FRONT).__aenter__()
