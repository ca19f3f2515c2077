"""The brokers that tests start in processes of their own, by name."""

import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from broker_support import RunningBroker, running_broker

from doorward.broker import Limits, Secure
from doorward.runtime import tls
from truth.two_brokers import OpenPolicy

FUZZERS = tuple(f"f{number}" for number in range(8))
LOG = "broker.log"
AUTHORITY, CHAIN = "authority.pem", "chain.pem"  # put there by the test
_SHORT = 3  # characters: what is kept for ever stays small, whatever the dice name it


class _Bounded(OpenPolicy):
    """Everything is allowed, but what would be kept without end if somebody thinks of a new topic every time."""

    def may_retain(self, topic):
        return len(topic) <= _SHORT


@contextlib.asynccontextmanager
async def plain(folder: Path) -> AsyncIterator[RunningBroker]:
    """As in the product: the boards "front" and "back", and the gateway."""
    async with running_broker(folder) as site:
        yield site


@contextlib.asynccontextmanager
async def for_all(folder: Path) -> AsyncIterator[RunningBroker]:
    """Open to FUZZERS and "control", with a TLS listener and a log; queues are short, to be full soon."""
    logging.basicConfig(filename=folder / LOG, level=logging.INFO)
    context = tls.for_boards((folder / AUTHORITY).read_bytes())
    tls.load_chain(context, folder / CHAIN)
    async with running_broker(
        folder,
        (*FUZZERS, "control", "victim"),
        policy=_Bounded(),
        limits=Limits(queued=100, queued_bytes=1 << 19, connect_within=2.0),
        secure=Secure("127.0.0.1", 0, context),
    ) as site:
        yield site


SITES = {"plain": plain, "for all": for_all}
