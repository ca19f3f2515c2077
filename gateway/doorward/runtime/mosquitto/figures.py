"""What Mosquitto says of itself under $SYS, as the figures that the broker inside has."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Final

from doorward.app.figures import Figure, counter, gauge
from doorward.app.mqtt.desk import Conversation
from doorward.errors import DoorwardError

_PREFIX: Final = "$SYS/broker/"
_AGAIN_S = 5.0
_B = "doorward_broker_"
# By what Mosquitto calls it: mosquitto(8), BROKER STATUS. It is told every ten seconds.
_COUNTERS = {
    "messages/received": ("packets_received_total", "MQTT packets from clients."),
    "messages/sent": ("packets_sent_total", "MQTT packets to clients."),
    "publish/messages/received": ("messages_received_total", "PUBLISH packets from clients."),
    "publish/messages/sent": ("messages_sent_total", "PUBLISH packets to clients."),
    "publish/messages/dropped": ("dropped_total", "Messages that did not fit into a queue."),
    "bytes/received": ("received_bytes_total", "Bytes from clients."),
    "bytes/sent": ("sent_bytes_total", "Bytes to clients."),
}
_GAUGES = {
    "clients/connected": ("connections", "Open connections."),
    "clients/total": ("sessions", "Sessions, of clients that are away too."),
    "subscriptions/count": ("subscriptions", "Subscriptions of all sessions."),
    "retained messages/count": ("retained_messages", "Topics with a retained message."),
    "store/messages/count": ("stored_messages", "Messages it holds, retained and queued."),
    "uptime": ("up_seconds", "Since the broker was started."),
}


class MosquittoFigures:
    """Listens for as long as there is a Mosquitto; while there is none, there are no figures."""

    def __init__(self, converse: Callable[[], AbstractAsyncContextManager[Conversation]]) -> None:
        """`converse` connects to it, with the right to read $SYS."""
        self._converse = converse
        self._said: dict[str, float] = {}

    async def keep(self) -> None:
        """Hear them, until it is cancelled."""
        while True:
            try:
                async with self._converse() as client:
                    await client.subscribe([_PREFIX + "#"], 0)
                    while (message := await client.message()) is not None:
                        self._take(message.topic.removeprefix(_PREFIX), message.payload)
            except DoorwardError:
                pass  # the checks of health say that it is away
            finally:
                self._said.clear()
            await asyncio.sleep(_AGAIN_S)

    def read(self) -> Iterator[Figure]:
        """As of the last ten seconds."""
        for names, make in ((_COUNTERS, counter), (_GAUGES, gauge)):
            for said, (name, meaning) in names.items():
                if said in self._said:
                    yield make(_B + name, meaning, self._said[said])

    def numbers(self) -> dict[str, int]:
        """Those that a glance at the broker shows, by the names that the broker inside has for them."""
        shown = {"clients/connected": "connections", "clients/total": "sessions"}
        shown |= {"subscriptions/count": "subscriptions", "retained messages/count": "retained"}
        shown |= {"publish/messages/dropped": "dropped"}
        return {name: int(self._said[said]) for said, name in shown.items() if said in self._said}

    def _take(self, name: str, payload: bytes) -> None:
        if name in _COUNTERS or name in _GAUGES:
            try:
                self._said[name] = float(payload.split()[0])  # "123 seconds"
            except (ValueError, IndexError):
                self._said.pop(name, None)
