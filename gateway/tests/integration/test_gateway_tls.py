"""A whole site over TLS: a board with the real firmware, the page over HTTPS, and a certificate that is renewed."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from broker_support import Client
from site_support import BROKERS, api_of, broker_log, is_current, profiles, running, settings_for
from watching import PATIENCE_S, opens, until

from doorward.app.trust import fingerprint
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward.runtime.mosquitto.side import MosquittoSide
from doorward_core import mqtt
from doorward_lab import Lab

PAGE = "127.0.0.2"  # of this machine, and for the settings no loopback address
SETTINGS = {
    "web": {"host": PAGE, "port": 0},
    "mqtt": {"host": "127.0.0.1", "port": 0},
    "names": ["door.test", PAGE],
}


@pytest.fixture
async def site(tmp_path: Path, broker: str) -> AsyncIterator[VirtualSite]:
    """Its page is not on the loopback address."""
    settings = settings_for(tmp_path / "site", broker, defaults=SETTINGS)
    async with running(VirtualSite(settings)) as site:
        yield site


def trusting(site: VirtualSite) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=site.signer.certificate().decode())


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_a_board_opens_its_door_over_mutual_tls_and_a_renewal_does_not_disturb_it(
    site: VirtualSite, lab: Lab
) -> None:
    (profile,) = profiles(site)
    assert profile["broker"]["port"] == site.mqtt_port
    board = await lab.start_board(profile)
    await until(lambda: is_current(site), board)
    # Its secret alone is worth nothing on the plain port.
    bare = await Client.open(site.plain_port)
    answer = await bare.try_connect("front", password=profile["secret"])
    assert answer == (False, mqtt.NOT_AUTHORISED)
    await bare.drop()

    connections = connections_of_the_board(site)
    assert connections
    before = await asyncio.to_thread(shown_to_boards, site)
    site.tls.certificate._now = lambda: datetime.now(UTC) + timedelta(days=700)
    site.tls.renew()
    if isinstance(site.side, MosquittoSide):
        await site.side.sync()  # once a minute by itself
    # Mosquitto reads it when it comes round to its signals.
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(shown_to_boards, site) == before:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.05)

    assert await opens(board, demosite.CARDS["member"].uid)
    assert connections_of_the_board(site) == connections
    assert len(board.starts) == 1


def connections_of_the_board(site: VirtualSite) -> list[object]:
    """Those that there are at the broker inside, those that there ever were at Mosquitto."""
    if isinstance(site.side, MosquittoSide):
        return [line for line in broker_log(site).splitlines() if " as front (" in line]
    front = site.broker._router.sessions.get("front")
    return [front.link] if front is not None and front.link is not None else []


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


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_the_ca_can_be_had_before_it_is_trusted(site: VirtualSite) -> None:
    base = f"https://{PAGE}:{site.web_port}"
    async with httpx.AsyncClient(verify=False, base_url=base) as phone:
        given = await phone.get("/ca.crt")
        assert given.content == site.signer.certificate()
        assert given.headers["content-type"] == "application/x-x509-ca-cert"
        guide = await phone.get("/ca")
    known = fingerprint(site.signer.certificate())
    assert known in guide.text
    async with api_of(site) as terminal:
        health = (await terminal.get("/health")).text
    assert known in health
    assert f"127.0.0.1:{site.mqtt_port} over mutual TLS" in health
