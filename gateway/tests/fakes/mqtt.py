"""A broker in memory for the real `MqttDesk`: what is published is heard by every conversation that asked for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from doorward.app.views.mqtt import Listeners, MqttMessage, MqttStatus
from doorward.errors import NotPermitted
from doorward_core import topic_tree


class FakeConversation:
    def __init__(self, broker: "FakeTraffic") -> None:
        self._broker = broker
        self._filters: Sequence[str] = ()
        self._inbox: asyncio.Queue[MqttMessage | None] = asyncio.Queue()

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        self._broker.say(MqttMessage(topic, payload, qos, retain))

    async def subscribe(self, filters: Sequence[str], qos: int) -> None:
        if "secret/#" in filters:
            raise NotPermitted("the broker does not let us read 'secret/#'")
        self._filters = filters

    async def message(self) -> MqttMessage | None:
        return await self._inbox.get()

    @property
    def told_all(self) -> bool:
        """True when everything that came was fetched."""
        return self._inbox.empty()

    def hear(self, message: MqttMessage | None) -> None:
        if message is None or any(topic_tree.matches(f, message.topic) for f in self._filters):
            self._inbox.put_nowait(message)


class FakeTraffic:
    """`said` is all that was published."""

    def __init__(self) -> None:
        self.said: list[MqttMessage] = []
        self.talking: list[FakeConversation] = []

    def say(self, message: MqttMessage) -> None:
        self.said.append(message)
        for conversation in self.talking:
            conversation.hear(message)

    def status(self) -> MqttStatus:
        listeners = Listeners("0.0.0.0", 8883, 9001, 1883)
        return MqttStatus("embedded", True, listeners, {"connections": 2})

    def metrics(self) -> Mapping[str, float]:
        return {'doorward_broker_messages_sent_total{qos="1"}': 5.0}

    def exposition(self) -> bytes:
        return b"doorward_broker_connections 2.0\n"

    def refuses_publish(self, topic: str) -> str | None:
        return "deny users publish $SYS/#" if topic.startswith("$SYS/") else None

    @asynccontextmanager
    async def converse(self) -> AsyncIterator[FakeConversation]:
        conversation = FakeConversation(self)
        self.talking.append(conversation)
        try:
            yield conversation
        finally:
            self.talking.remove(conversation)
