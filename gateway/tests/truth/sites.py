"""The brokers that tests start in processes of their own, by name."""

import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from broker_support import RunningBroker, running_broker
from cryptography import x509
from tls_witness import Issuer

from doorward.broker import Limits, Secure
from doorward.runtime.servers import tls
from truth.two_brokers import OpenPolicy

FUZZERS = tuple(f"f{number}" for number in range(8))
CERTIFIED = ("t0", "t1")  # clients that come over TLS
LOG = "broker.log"
_AUTHORITY, _CHAIN = "authority.pem", "chain.pem"
_ENDLESS = Limits(queued=1_000_000, queued_bytes=1 << 30)
_SHORT = 3  # characters: what is kept for ever stays small, whatever the dice name it


class _Bounded(OpenPolicy):
    """Everything is allowed, but what would be kept without end if somebody thinks of a new topic every time."""

    def may_retain(self, topic):
        return len(topic) <= _SHORT


@contextlib.asynccontextmanager
async def plain(folder: Path) -> AsyncIterator[RunningBroker]:
    """As in the product: the boards "front" and "back", and the gateway. But no queue is ever full.

    A publisher that hears nothing sends everything again on each return, and a broker has to queue all of it again at
    QoS 1: on a slow machine thousands of copies, and what does not fit any more would look lost.
    """
    async with running_broker(folder, limits=_ENDLESS) as site:
        yield site


@contextlib.asynccontextmanager
async def public(folder: Path) -> AsyncIterator[RunningBroker]:
    """The same, but everybody may read and say everything."""
    async with running_broker(folder, limits=_ENDLESS, policy=OpenPolicy()) as site:
        yield site


def prepared(folder: Path) -> dict[str, ssl.SSLContext]:
    """Put the certificates of `for_all` where it looks for them; a context for each of CERTIFIED."""
    issuer = Issuer()
    (folder / _AUTHORITY).write_text(issuer.pem)
    issuer.server(folder / _CHAIN)
    return {name: issuer.client(folder / f"{name}.pem", name) for name in CERTIFIED}


class _Certified:
    """Knows the certificates that `prepared` has made."""

    def __init__(self, folder: Path) -> None:
        self._serials = {
            name: x509.load_pem_x509_certificate(
                (folder / f"{name}.pem").read_bytes()
            ).serial_number
            for name in CERTIFIED
        }

    def serial(self, name: str) -> int | None:
        return self._serials.get(name)

    def is_revoked(self, _serial: int) -> bool:
        return False


@contextlib.asynccontextmanager
async def for_all(folder: Path) -> AsyncIterator[RunningBroker]:
    """Open to FUZZERS, CERTIFIED and "control", with a TLS listener (`prepared`) and a log.

    Queues are short, to be full soon.
    """
    logging.basicConfig(filename=folder / LOG, level=logging.INFO)
    context = tls.for_boards((folder / _AUTHORITY).read_bytes())
    tls.load_chain(context, folder / _CHAIN)
    async with running_broker(
        folder,
        (*FUZZERS, *CERTIFIED, "control", "victim"),
        certificates=_Certified(folder),
        policy=_Bounded(),
        limits=Limits(
            queued=100,
            queued_bytes=1 << 19,
            connect_within=2.0,
            publish_rate=0.0,  # a flood that is let in at a trickle is none
            publish_bytes=0.0,
        ),
        secure=Secure("127.0.0.1", 0, context),
    ) as site:
        yield site


SITES = {"plain": plain, "public": public, "for all": for_all}
