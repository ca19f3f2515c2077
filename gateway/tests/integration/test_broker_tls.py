"""The listener for boards: who comes in with which certificate, and what becomes of everybody else."""

import asyncio
import base64
import contextlib
import socket
import ssl
import time
import tracemalloc
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from broker_support import Client, RunningBroker, running_broker, secret
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from tls_witness import DAY, Issuer

from doorward.adapters.passwords import Argon2Passwords
from doorward.broker import Denial, Limits, Principals, Secure, addresses
from doorward.broker.certificates import NEEDS_TLS, REVOKED
from doorward.broker.logins import PasswordLogins
from doorward.broker.ports import Logins
from doorward.errors import Unavailable
from doorward.runtime import tls
from doorward_core import mqtt

PATIENCE = 5.0


@dataclass
class Known:
    """What a signer knows of certificates."""

    serials: dict[str, int] = field(default_factory=dict)
    revoked: set[int] = field(default_factory=set)
    away: bool = False

    def serial(self, device: str) -> int | None:
        return self.serials.get(device)

    def is_revoked(self, serial: int) -> bool:
        if self.away:
            raise Unavailable("signing is unavailable")
        return serial in self.revoked


class Stage:
    """One CA, one broker, and clients with any certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.issuer = Issuer()
        self.known = Known()
        self.context = tls.for_boards(self.issuer.pem.encode())
        tls.load_chain(self.context, self.issuer.server(folder / "server.pem"))
        self.site: RunningBroker

    @property
    def port(self) -> int:
        return self.site.broker.secure_port

    @property
    def failed(self) -> int:
        return self.site.broker.status()["handshakes_failed"]

    def client(self, files: dict[str, str] | None) -> ssl.SSLContext:
        """A client's context that shows the certificate in a board's files."""
        context = ssl.create_default_context(cadata=self.issuer.pem)
        if files is not None:
            certificate = x509.load_der_x509_certificate(base64.b64decode(files["cert.der"]))
            key = load_der_private_key(base64.b64decode(files["key.der"]), None)
            path = self.folder / "client.pem"
            private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
            context.load_cert_chain(path)
        return context

    def certified(self, name: str) -> ssl.SSLContext:
        """A client's context with a good certificate, which the broker knows."""
        files = self.issuer.device(name)
        certificate = x509.load_der_x509_certificate(base64.b64decode(files["cert.der"]))
        self.known.serials[name] = certificate.serial_number
        return self.client(files)

    async def answer(self, context: ssl.SSLContext, name: str, **options: str) -> int:
        """The code that a CONNECT of `name` is answered with."""
        client = await Client.open(self.port, context)
        try:
            return (await client.try_connect(name, **options))[1]
        finally:
            await client.drop()

    async def is_shut_out(self, context: ssl.SSLContext) -> bool:
        """True when not even a CONNECT is answered."""
        try:
            client = await Client.open(self.port, context)
        except OSError:
            return True
        try:
            await client.try_connect("front")
        except (OSError, EOFError):
            return True
        finally:
            await client.drop()
        return False

    async def until_failed(self, count: int) -> None:
        """Return when that many handshakes have failed."""
        async with asyncio.timeout(PATIENCE):
            while self.failed < count:  # noqa: ASYNC110 - only the other side's kernel knows
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    limits: Limits | None = None,
    logins: Callable[[Principals], Logins] | None = None,
) -> AsyncIterator[Stage]:
    """A stage whose broker runs."""
    stage = Stage(folder)
    secure = Secure("127.0.0.1", 0, stage.context)
    async with running_broker(
        folder, secure=secure, certificates=stage.known, limits=limits, logins=logins
    ) as site:
        stage.site = site
        yield stage


@pytest.mark.parametrize("password", ["good", "bad"])
@pytest.mark.parametrize("certificate", ["front", "back"])
@pytest.mark.parametrize("clean", [True, False])
async def test_only_the_right_secret_with_the_right_certificate_connects(
    tmp_path, password, certificate, clean
):
    async with staged(tmp_path) as stage:
        contexts = {name: stage.certified(name) for name in ("front", "back")}
        victim = await Client.open(stage.port, contexts["front"])
        await victim.connect("front", clean=False)
        await victim.subscribe("doorward/devices/front/commands/control")
        given = secret("front") if password == "good" else secret("back")
        thief = await Client.open(stage.port, contexts[certificate])
        _, code = await thief.try_connect("front", password=given, clean=clean)
        if (password, certificate) == ("good", "front"):
            assert code == mqtt.ACCEPTED
            assert await victim.is_closed()  # one client, one connection
        else:
            assert code == (mqtt.BAD_LOGIN if password == "bad" else mqtt.NOT_AUTHORISED)
            assert await thief.is_closed()
            assert not await victim.is_closed()
            assert stage.site.broker.status()["sessions"] == 1
        denied = [Denial("front", "connect", "", "its certificate is for 'back'")]
        assert stage.site.denials == (denied if code == mqtt.NOT_AUTHORISED else [])
        await victim.drop()
        await thief.drop()


@pytest.mark.parametrize("password", ["good", "bad"])
@pytest.mark.parametrize("certificate", ["good", "bad"])
async def test_a_user_with_the_right_password_and_the_right_certificate_connects(
    tmp_path, password, certificate
):
    """Both are asked for: of the four cells one is let in."""
    words = Argon2Passwords()
    hashed = await words.hash("correct horse battery")
    async with staged(tmp_path, logins=lambda p: PasswordLogins(p, words, time.monotonic)) as stage:
        stage.site.broker.acl.add_user("sam", hashed, ["User"])
        context = stage.certified("sam" if certificate == "good" else "back")
        given = "correct horse battery" if password == "good" else "wrong"
        code = await stage.answer(context, "sam", password=given, client_id="pad")
        if (password, certificate) == ("good", "good"):
            assert code == mqtt.ACCEPTED
        else:
            assert code == (mqtt.BAD_LOGIN if password == "bad" else mqtt.NOT_AUTHORISED)
        assert await stage.is_shut_out(stage.client(None)), "nor without a certificate at all"
        assert await stage.is_shut_out(stage.client(Issuer().device("sam"))), (
            "nor with another CA's"
        )
    words.close()


async def test_a_revoked_certificate_lets_nobody_in(tmp_path):
    async with staged(tmp_path) as stage:
        context = stage.certified("front")
        assert await stage.answer(context, "front") == mqtt.ACCEPTED
        stage.known.revoked.add(stage.known.serials["front"])
        assert await stage.answer(context, "front") == mqtt.NOT_AUTHORISED
        assert stage.site.denials == [Denial("front", "connect", "", REVOKED)]


async def test_while_nobody_can_judge_certificates_nobody_comes_in(tmp_path, caplog):
    async with staged(tmp_path) as stage:
        context = stage.certified("front")
        stage.known.away = True
        assert await stage.answer(context, "front") == mqtt.UNAVAILABLE
        assert "Traceback" not in caplog.text
        stage.known.away = False
        assert await stage.answer(context, "front") == mqtt.ACCEPTED


async def test_whoever_has_a_certificate_cannot_come_without(tmp_path):
    async with staged(tmp_path) as stage:
        async with stage.site.client("front"):
            pass  # it has none yet
        context = stage.certified("front")
        bare = await Client.open(stage.site.port)
        assert await bare.try_connect("front") == (False, mqtt.NOT_AUTHORISED)
        assert await bare.is_closed()
        await bare.drop()
        assert stage.site.denials == [Denial("front", "connect", "", NEEDS_TLS)]
        assert await stage.answer(context, "front") == mqtt.ACCEPTED


async def test_the_gateway_has_no_business_on_the_listener_for_boards(tmp_path):
    async with staged(tmp_path) as stage:
        assert await stage.answer(stage.certified("front"), "gateway") == mqtt.NOT_AUTHORISED


@pytest.mark.parametrize("shown", ["none", "foreign", "expired", "not yet valid", "a server's"])
async def test_a_bad_certificate_does_not_even_get_to_say_connect(tmp_path, shown):
    async with staged(tmp_path) as stage:
        good = stage.certified("front")
        issuer = stage.issuer
        if shown == "a server's":
            context = stage.client(None)
            context.load_cert_chain(issuer.server(tmp_path / "stolen.pem"))
        else:
            files = {
                "none": None,
                "foreign": Issuer().device("front"),
                "expired": issuer.device("front", -2 * DAY, -timedelta(minutes=1)),
                "not yet valid": issuer.device("front", timedelta(hours=1), 2 * DAY),
            }[shown]
            context = stage.client(files)
        assert await stage.is_shut_out(context)
        await stage.until_failed(1)
        assert stage.site.broker.status()["connections"] == 0
        assert await stage.answer(good, "front") == mqtt.ACCEPTED
        assert stage.failed == 1


async def test_old_tls_is_refused(tmp_path):
    async with staged(tmp_path) as stage:
        context = stage.certified("front")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert await stage.answer(context, "front") == mqtt.ACCEPTED
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        assert await stage.is_shut_out(context)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_who_never_finishes_the_handshake_is_closed_counted_and_forgotten(tmp_path):
    async with staged(tmp_path, Limits(connect_within=0.5)) as stage:
        good = stage.certified("front")
        before = _open_files()
        tasks = len(asyncio.all_tasks())
        silent = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(20)]
        plain = await Client.open(stage.port)
        plain.write(mqtt.connect("front", 30, True, "front", secret("front"), None))
        for _ in range(20):
            gone = socket.create_connection(("127.0.0.1", stage.port))
            gone.close()
        # All of them at the same time do not keep the rightful one out.
        assert await stage.answer(good, "front") == mqtt.ACCEPTED
        await stage.until_failed(41)
        for reader, _ in silent:
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        assert await plain.is_closed()
        for _, writer in silent:
            writer.close()
        await plain.drop()
        async with asyncio.timeout(PATIENCE):
            while _open_files() > before or len(asyncio.all_tasks()) > tasks:  # noqa: ASYNC110 - ditto
                await asyncio.sleep(0.01)
        assert stage.failed == 41
        assert stage.site.denials == []


async def test_a_stranger_costs_little_memory_and_a_crowd_of_them_few_words(tmp_path, caplog):
    caplog.set_level("INFO")
    async with staged(tmp_path) as stage:
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            silent = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(50)]
            for _, writer in silent:
                writer.write(b"\x16\x03\x01\x02\x00\x01")
            await asyncio.sleep(0.2)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        # Both ends are ours here, and the streams of this end have their share.
        assert (after - before) / 50 < 64 * 1024
        for _, writer in silent:
            writer.write(b"no TLS at all" * 100)
            writer.close()
        await stage.until_failed(50)
    told = [line for line in caplog.messages if "no TLS" in line]
    assert 20 <= len(told) <= 25
    assert told[0].endswith(" 0 more before it")


async def test_handshakes_count_among_connections(tmp_path):
    async with staged(tmp_path, Limits(connections=3)) as stage:
        silent = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        assert stage.failed == 1
        for _, one in [*silent, (reader, writer)]:
            one.close()


async def test_one_address_does_not_take_all_handshakes(tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "_key", lambda host: host)
    async with staged(tmp_path, Limits(handshakes_per_address=2)) as stage:
        context = stage.certified("front")
        silent = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert await stage.is_shut_out(context)
        elsewhere = await Client.open(stage.port, context, source="127.0.0.2")
        await elsewhere.connect("front")
        for _, writer in silent:
            writer.close()
        await stage.until_failed(3)
        assert await stage.answer(context, "front") == mqtt.ACCEPTED
        await elsewhere.drop()


async def test_who_has_all_its_connections_begins_no_handshake(tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "_key", lambda host: host)
    async with staged(tmp_path, Limits(connections_per_address=1)) as stage:
        context = stage.certified("front")
        client = await Client.open(stage.port, context)
        await client.connect("front")
        assert await stage.is_shut_out(context)
        assert stage.failed == 1
        await client.drop()


async def test_a_connect_that_comes_with_the_last_word_of_the_handshake_is_heard(tmp_path):
    async with staged(tmp_path) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = stage.certified("front")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        peer = context.wrap_bio(heard, said, server_hostname="doorward-broker")
        while True:
            try:
                peer.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(said.read())
                heard.write(await reader.read(65536))
        peer.write(mqtt.connect("front", 30, True, "front", secret("front"), None))
        writer.write(said.read())  # both in one piece
        heard.write(await asyncio.wait_for(reader.read(65536), PATIENCE))
        assert peer.read(4) == bytes((mqtt.CONNACK << 4, 2, 0, mqtt.ACCEPTED))
        writer.close()


def _serial_shown(client: Client) -> int:
    seen = client._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(seen).serial_number


async def test_a_new_chain_is_shown_to_the_next_and_disturbs_nobody(tmp_path):
    async with staged(tmp_path) as stage:
        contexts = {name: stage.certified(name) for name in ("front", "back")}
        before = await Client.open(stage.port, contexts["front"])
        await before.connect("front")
        tls.load_chain(stage.context, stage.issuer.server(tmp_path / "renewed.pem"))
        after = await Client.open(stage.port, contexts["back"])
        await after.connect("back")
        assert _serial_shown(before) != _serial_shown(after)
        assert not await before.is_closed()
        renewed = x509.load_pem_x509_certificate((tmp_path / "renewed.pem").read_bytes())
        assert _serial_shown(after) == renewed.serial_number
        await before.drop()
        await after.drop()


async def test_small_packets_do_not_wait_for_each_other(tmp_path):
    async with staged(tmp_path) as stage:
        client = await Client.open(stage.port, stage.certified("front"))
        await client.connect("front")
        (connection,) = stage.site.broker._exchange.connections
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await client.drop()


async def test_a_broker_that_stops_gives_up_handshakes_at_once(tmp_path):
    async with staged(tmp_path) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        await asyncio.sleep(0.05)
        async with asyncio.timeout(2):
            await stage.site.broker.stop()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()
