"""The listener for boards: who comes in with which certificate, and what becomes of everybody else."""

import asyncio
import contextlib
import socket
import ssl
import time
import warnings
from datetime import timedelta

import pytest
from broker_support import Client, secret
from cryptography import x509
from secure_stage import PATIENCE, staged
from tls_witness import DAY, Issuer

from doorward.adapters.passwords import Argon2Passwords
from doorward.broker import Denial
from doorward.broker.identity.certificates import NEEDS_TLS, REVOKED
from doorward.broker.identity.logins import PasswordLogins
from doorward.runtime.servers import tls
from doorward_core import mqtt


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
            assert stage.site.broker.status().sessions == 1
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
        assert stage.site.broker.status().connections == 0
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
        (connection,) = stage.site.connections
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
