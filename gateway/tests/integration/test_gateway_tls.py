"""A whole site over TLS: a board with the real firmware, the page over HTTPS, and a certificate that is renewed."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from broker_support import Client

from doorward import config
from doorward.app.trust import fingerprint
from doorward.runtime.demo import VirtualSite
from doorward_core import mqtt
from doorward_lab import Lab

STRIKE = 25
PAGE = "127.0.0.2"  # of this machine, and for the settings no loopback address
SETTINGS = {
    "web": {"host": PAGE, "port": 0},
    "mqtt": {"host": "127.0.0.1", "port": 0},
    "names": ["door.test", PAGE],
}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[VirtualSite]:
    directory = tmp_path / "site"
    directory.mkdir()
    site = VirtualSite(config.load(directory, defaults=SETTINGS, environ={}))
    await site.start()
    yield site
    await site.stop()
    await site.wait()


def trusting(site: VirtualSite) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=site.signer.certificate().decode())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the board tells nobody here
            await asyncio.sleep(0.02)


async def test_a_board_opens_its_door_over_mutual_tls_and_a_renewal_does_not_disturb_it(
    site: VirtualSite, tmp_path: Path
) -> None:
    content = json.loads((site.settings.directory / "site.json").read_text())
    (profile,), card = content["boards"], content["cards"]["member"]
    assert profile["broker"]["port"] == site.mqtt_port
    async with Lab(tmp_path / "lab") as lab:
        board = await lab.start_board(profile)
        door = site.cases.states.get
        await until(lambda: (front := door("front")).online and front.policy_version)
        # Its secret alone is worth nothing on the plain port.
        bare = await Client.open(site.plain_port)
        answer = await bare.try_connect("front", password=profile["secret"])
        assert answer == (False, mqtt.NOT_AUTHORISED)
        await bare.drop()

        (connection,) = (c for c in site.broker._exchange.connections if c._shown)
        before = await asyncio.to_thread(shown_to_boards, site)
        site.tls.certificate._now = lambda: datetime.now(UTC) + timedelta(days=700)
        site.tls.renew()
        after = await asyncio.to_thread(shown_to_boards, site)
        assert before != after

        board.present(card)
        await board.wait_edge(STRIKE, 1, 5)
        board.remove()
        assert connection in site.broker._exchange.connections
        assert len(board.starts) == 1


def shown_to_boards(site: VirtualSite) -> bytes:
    """The certificate of the listener for boards, seen without one of our own: it comes before ours is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", site.mqtt_port), 5) as raw,
        context.wrap_socket(raw) as peer,
    ):
        seen = peer.getpeercert(binary_form=True)
    assert seen
    return seen


async def test_the_page_speaks_https_alone_off_loopback(site: VirtualSite) -> None:
    base = f"https://{PAGE}:{site.web_port}"
    assert site.url.startswith(f"{base}/enter/")
    async with httpx.AsyncClient(verify=trusting(site), base_url=base) as browser:
        page = await browser.get("/login")
        assert page.status_code == 200
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        entry = await browser.get(f"/enter/{site.tokens.enter}")
        assert "secure" in entry.headers["set-cookie"].lower()
    async with httpx.AsyncClient() as stranger:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.get(base)
        with contextlib.suppress(httpx.HTTPError):
            answer = await stranger.get(f"http://{PAGE}:{site.web_port}/login")
            pytest.fail(f"it answered without TLS: {answer.status_code}")


async def test_the_ca_can_be_had_before_it_is_trusted(site: VirtualSite) -> None:
    base = f"https://{PAGE}:{site.web_port}"
    async with httpx.AsyncClient(verify=False, base_url=base) as phone:
        given = await phone.get("/ca.crt")
        assert given.content == site.signer.certificate()
        assert given.headers["content-type"] == "application/x-x509-ca-cert"
        guide = await phone.get("/ca")
    known = fingerprint(site.signer.certificate())
    assert known in guide.text
    local = httpx.AsyncHTTPTransport(uds=str(site.settings.socket))
    async with httpx.AsyncClient(transport=local, base_url="http://doorward") as terminal:
        health = (await terminal.get("/api/v1/health")).text
    assert known in health
    assert f"127.0.0.1:{site.mqtt_port} over mutual TLS" in health
