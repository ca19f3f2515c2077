"""What can be wrong at start: one error each, and nothing left running."""

import asyncio
import os
import socket
from pathlib import Path

import pytest
from stage.house import furnish

from doorward import config
from doorward.app.access.cache import CacheKeeper
from doorward.broker.store import BrokerStore
from doorward.errors import (
    AlreadyRunning,
    DatabaseDamaged,
    DoorwardError,
    InvalidInput,
    KeyFileTooOpen,
    PortInUse,
    StartupError,
    WrongKey,
)
from doorward.runtime import gateway as runtime_gateway
from doorward.runtime.gateway import Gateway
from doorward.runtime.process import lock
from doorward.runtime.usecases import UseCases

ANY_PORT = {"web": {"port": 0}, "mqtt": {"port": 0}}


def open_to_others(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*") if path.stat().st_mode & 0o077]


async def refusal(directory: Path, section: str = "web", **settings: object) -> DoorwardError:
    defaults = {**ANY_PORT, section: {"port": 0, **settings}}
    gateway = Gateway(config.load(directory, defaults=defaults, environ={}))
    with pytest.raises(DoorwardError) as refused:
        await gateway.start()
    assert "\n" not in refused.value.message
    # The next one can start at once: nothing was left behind.
    with lock.hold(directory):
        pass
    return refused.value


@pytest.mark.parametrize(
    ("section", "name"), [("web", "port"), ("mqtt", "port"), ("mqtt", "plain_port")]
)
async def test_a_port_in_use(tmp_path: Path, section: str, name: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        error = await refusal(tmp_path, section, **{name: port})
    assert isinstance(error, PortInUse)
    assert str(port) in error.message


@pytest.mark.parametrize("section", ["web", "mqtt"])
async def test_an_address_of_another_machine(tmp_path: Path, section: str) -> None:
    error = await refusal(tmp_path, section, host="192.0.2.1")
    assert "cannot listen on 192.0.2.1" in error.message


async def test_a_name_that_is_none(tmp_path: Path) -> None:
    gateway = Gateway(config.load(tmp_path, defaults=ANY_PORT | {"names": ["a b"]}, environ={}))
    with pytest.raises(InvalidInput, match="'a b' is no name"):
        await gateway.start()


async def test_a_key_of_another_installation(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway = Gateway(config.load(tmp_path, defaults=ANY_PORT, environ={}))
    await gateway.start()
    await gateway.stop()
    capfd.readouterr()
    (tmp_path / "keys" / "database.key").write_bytes(os.urandom(32))
    assert isinstance(await refusal(tmp_path), WrongKey)
    assert "hmac" not in capfd.readouterr().err.lower()


async def test_a_broker_db_under_another_key(tmp_path: Path) -> None:
    """Put back from elsewhere, beside a gateway.db that the key opens."""
    gateway = Gateway(config.load(tmp_path, defaults=ANY_PORT, environ={}))
    await gateway.start()
    await gateway.stop()
    database = tmp_path / "broker.db"
    for path in (database, *tmp_path.glob("broker.db-*")):
        path.unlink()
    BrokerStore.open(tmp_path / "other" / "broker.db", os.urandom(32))
    (tmp_path / "other" / "broker.db").rename(database)
    error = await refusal(tmp_path)
    assert isinstance(error, WrongKey)
    assert "broker.db" in error.message
    database.unlink()
    assert isinstance(await refusal(tmp_path), DatabaseDamaged), "nor does it begin without users"


async def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    key = tmp_path / "keys" / "database.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o644)
    assert isinstance(await refusal(tmp_path), KeyFileTooOpen)


async def test_a_second_gateway_in_the_same_directory(tmp_path: Path) -> None:
    with lock.hold(tmp_path), pytest.raises(AlreadyRunning, match=str(os.getpid())):
        await Gateway(config.load(tmp_path, defaults=ANY_PORT, environ={})).start()


async def test_it_starts_stops_and_starts_again(tmp_path: Path) -> None:
    for _ in range(2):
        gateway = Gateway(config.load(tmp_path, defaults=ANY_PORT, environ={}))
        await gateway.start()
        assert gateway.needs_setup
        assert (tmp_path / "run" / "api.sock").stat().st_mode & 0o777 == 0o600
        await gateway.stop()
        await gateway.wait()
    assert open_to_others(tmp_path) == []


async def test_a_door_whose_key_is_gone_keeps_nothing_from_starting(tmp_path: Path) -> None:
    await furnish(tmp_path)
    for _ in range(2):
        gateway = Gateway(config.load(tmp_path, defaults=ANY_PORT, environ={}))
        async with asyncio.timeout(30):
            await gateway.start()
        assert gateway.link.connected
        await gateway.stop()
        (tmp_path / "signer" / "front.key").unlink(missing_ok=True)


async def test_it_can_be_stopped_while_it_waits_for_its_broker(tmp_path: Path) -> None:
    class Deaf(Gateway):
        async def prepare(self, cases: UseCases) -> None:
            await self.broker.stop()

    gateway = Deaf(config.load(tmp_path, defaults=ANY_PORT, environ={}))
    starting = asyncio.create_task(gateway.start())
    async with asyncio.timeout(30):
        while gateway.web_port == 0:  # noqa: ASYNC110 - there is no event for half a start
            await asyncio.sleep(0.01)
        await gateway.stop()
        with pytest.raises(StartupError, match="stopped before"):
            await starting


async def test_a_bug_of_ours_on_connecting_is_no_broken_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def announce(_keeper: CacheKeeper) -> None:
        raise ValueError("not for the link")

    monkeypatch.setattr(CacheKeeper, "announce", announce)
    gateway = Gateway(config.load(tmp_path, defaults=ANY_PORT, environ={}))
    async with asyncio.timeout(30):
        with pytest.raises(ExceptionGroup, match="unhandled errors"):
            await gateway.start()


async def test_a_renewal_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(CacheKeeper):
        def __init__(self) -> None:
            self.asked = 0
            self.again = asyncio.Event()

        async def refresh(self) -> None:
            self.asked += 1
            if self.asked > 1:
                self.again.set()
            raise OSError(28, "no space left")

    monkeypatch.setattr(runtime_gateway, "_CACHE_S", 0.001)
    keeper = Full()
    renewing = asyncio.create_task(runtime_gateway._renew(keeper))
    async with asyncio.timeout(30):
        await keeper.again.wait()
    renewing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await renewing
