"""amqtt as a process for bench/broker.py: `served_amqtt.py DIR`, with the clients and the base of DIR/site.json.

Its own plugins know neither fast secrets nor %u. These two do, so that both Python brokers are asked the same.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import sys
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin

site = json.loads((Path(sys.argv[1]) / "site.json").read_text())
gateway = next(iter(site["secrets"]))
digests = {
    name: hashlib.sha256(secret.encode()).digest() for name, secret in site["secrets"].items()
}


class Login(BaseAuthPlugin):
    """Name and secret have to fit."""

    async def authenticate(self, *, session: Any) -> bool:
        given = hashlib.sha256((session.password or "").encode()).digest()
        return hmac.compare_digest(given, digests.get(session.username, b""))


class Rights(BaseTopicPlugin):
    """The gateway may do everything under the base, a device on its own topics."""

    async def topic_filtering(
        self, *, session: Any = None, topic: Any = None, action: Any = None
    ) -> bool:
        own = "" if session.username == gateway else f"devices/{session.username}/"
        return str(topic).startswith(f"{site['base']}/{own}")


async def serve() -> None:
    """For ever."""
    sys.modules["served_amqtt"] = sys.modules["__main__"]  # plugins are named by their module
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{site['port']}"}},
            "plugins": {"served_amqtt.Login": {}, "served_amqtt.Rights": {}},
        }
    )
    await broker.start()
    await asyncio.Event().wait()


logging.basicConfig(level=logging.ERROR)
asyncio.run(serve())
