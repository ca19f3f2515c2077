"""A user from afar on the TLS port of a gateway: its password, and the certificate that was made for it, no other."""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import forked
import pytest
from broker_support import Client

from doorward import config
from doorward.runtime.gateway import Gateway
from doorward_core import mqtt

PASSWORD = "correct horse battery"
PORTS = {
    "web": {"port": 0},
    "mqtt": {"port": 0, "plain_port": 0, "websocket_port": 0},
}
CUT_OFF = -1


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    gateway = Gateway(config.load(tmp_path / "d", defaults=PORTS, environ={}))
    await gateway.start()
    yield gateway
    await gateway.stop()


async def users(gateway: Gateway, *words: str, code: int = 0) -> str:
    """`doorward broker users …` in a process of its own."""
    environment = {**os.environ, "DOORWARD_PASSWORD": PASSWORD}
    command = ["broker", "users", *words, "--data", str(gateway.settings.directory)]
    done = await asyncio.to_thread(forked.run, command, env=environment)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def showing(gateway: Gateway, folder: Path | None) -> ssl.SSLContext:
    """A client's TLS, with the certificate of this folder."""
    context = ssl.create_default_context(cadata=gateway.signer.certificate().decode())
    if folder is not None:
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def answer(
    gateway: Gateway,
    name: str,
    folder: Path | None,
    password: str = PASSWORD,
    client_id: str = "pad",
) -> int:
    """What a CONNECT at the TLS port is answered with; CUT_OFF where TLS itself says no."""
    try:
        client = await Client.open(gateway.mqtt_port, showing(gateway, folder))
    except OSError:
        return CUT_OFF
    try:
        return (await client.try_connect(name, password=password, client_id=client_id))[1]
    except (OSError, asyncio.IncompleteReadError, AssertionError):
        return CUT_OFF
    finally:
        await client.drop()


async def plain(gateway: Gateway, name: str) -> int:
    """What a CONNECT at the port for this machine is answered with."""
    client = await Client.open(gateway.plain_port)
    code = (await client.try_connect(name, password=PASSWORD))[1]
    await client.drop()
    return code


async def test_password_and_certificate_of_the_same_user_come_in_from_afar(
    gateway: Gateway, tmp_path: Path
) -> None:
    ann, bob = tmp_path / "ann", tmp_path / "bob"
    for name, folder in (("ann", ann), ("bob", bob)):
        await users(gateway, "add", name, "--role", "User")
        assert await answer(gateway, name, None) == CUT_OFF, "who shows nothing"
        assert await plain(gateway, name) == mqtt.ACCEPTED
        told = json.loads(await users(gateway, "certificate", name, "--out", str(folder), "--json"))
        assert told["folder"] == str(folder)
        assert int(told["serial"], 16) == gateway.signer.serial(name)
        listed = {
            one["name"]: one["certificate"]
            for one in json.loads(await users(gateway, "list", "--json"))
        }
        assert listed[name] == told["serial"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in ann.iterdir()} == {
        "cert.pem": 0o600,
        "key.pem": 0o600,
        "ca.crt": 0o600,
    }
    assert await answer(gateway, "ann", ann) == mqtt.ACCEPTED
    assert await answer(gateway, "ann", ann, password="wrong") == mqtt.BAD_LOGIN
    assert await answer(gateway, "ann", bob) == mqtt.NOT_AUTHORISED
    assert await answer(gateway, "bob", ann) == mqtt.NOT_AUTHORISED
    assert await answer(gateway, "ann", ann, client_id="bob") == mqtt.BAD_CLIENT_ID
    assert await plain(gateway, "ann") == mqtt.NOT_AUTHORISED, "who has one shows it everywhere"
    rows = [row.why for row in await gateway.store.recent(50, None, None)]
    assert any(why.startswith("ann has a certificate at the broker, ") for why in rows)


async def test_a_certificate_ends_with_the_next_one_by_order_and_with_its_user(
    gateway: Gateway, tmp_path: Path
) -> None:
    folders = [tmp_path / f"{number}" for number in range(3)]
    await users(gateway, "add", "ann")
    await users(gateway, "certificate", "ann", "--out", str(folders[0]))
    here = await Client.open(gateway.mqtt_port, showing(gateway, folders[0]))
    await here.connect("ann", password=PASSWORD, client_id="pad")
    assert "is there already" in await users(
        gateway, "certificate", "ann", "--out", str(folders[0]), code=1
    )
    assert not await here.is_closed(), "nothing was made, so the old one is good"
    await users(gateway, "certificate", "ann", "--out", str(folders[1]))
    assert await here.is_closed()
    await here.drop()
    assert await answer(gateway, "ann", folders[0]) == mqtt.NOT_AUTHORISED
    assert await answer(gateway, "ann", folders[1]) == mqtt.ACCEPTED
    await users(gateway, "certificate", "ann", "--revoke")
    assert await answer(gateway, "ann", folders[1]) == mqtt.NOT_AUTHORISED
    assert await plain(gateway, "ann") == mqtt.ACCEPTED, "the password is enough there again"
    assert json.loads(await users(gateway, "list", "--json"))[0]["certificate"] == ""
    assert "ann has no certificate" in await users(
        gateway, "certificate", "ann", "--revoke", code=1
    )
    await users(gateway, "certificate", "ann", "--out", str(folders[2]))
    await users(gateway, "remove", "ann")
    await users(gateway, "add", "ann")
    assert await plain(gateway, "ann") == mqtt.ACCEPTED
    assert await answer(gateway, "ann", folders[2]) == mqtt.NOT_AUTHORISED, "made for another ann"
    assert "no user" in await users(
        gateway, "certificate", "nobody", "--out", str(tmp_path / "none"), code=1
    )
    assert not (tmp_path / "none").exists()
