"""Ours and Debian's Mosquitto, both open to every client: the standard is the only rule left."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from broker_support import running_broker
from brokers import mosquitto

from doorward.broker import Policy

# Otherwise it sends one copy for overlapping subscriptions, at the QoS of whichever it finds first (against 3.3.5-1).
_SETTINGS = ("allow_duplicate_messages true", "max_inflight_messages 64")


class OpenPolicy(Policy):
    """Everybody may do everything, so that every difference is one of MQTT."""

    def refuses_publish(self, *_asked):
        return None

    def refuses_subscribe(self, *_asked):
        return None

    def may_read(self, *_asked):
        return True

    def may_retain(self, _topic):
        return True

    def keeps(self, _topic):
        return True


@contextlib.asynccontextmanager
async def two_brokers(folder: Path, clients: tuple[str, ...]) -> AsyncIterator[dict[str, int]]:
    """Their ports, by name."""
    (folder / "mosquitto").mkdir()
    (folder / "mosquitto").chmod(0o755)
    async with running_broker(folder / "ours", clients, policy=OpenPolicy()) as site:
        with mosquitto(folder / "mosquitto", settings=_SETTINGS) as port:
            yield {"doorward": site.port, "mosquitto": port}
