"""A scripted board on a real connection: paho in its own thread, answers awaited on the test's loop."""

import asyncio
import json
import socket
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from doorward_core import board_messages, seal, topic_tree, topics
from doorward_core.topics import device_topic
from stage.board import ScriptedBoard
from stage.secrets import Enrolment

_PATIENCE_S = 10.0


class OnlineBoard:
    """`async with OnlineBoard(enrolment, port) as board`: connected, subscribed, and its hello said."""

    def __init__(
        self, enrolment: Enrolment, port: int, script: ScriptedBoard | None = None
    ) -> None:
        self.script = script or ScriptedBoard(enrolment)
        self._port = port
        self._inbox: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._kept: list[tuple[str, bytes]] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=self.script.id, clean_session=False
        )
        self._client.username_pw_set(self.script.id, self.script.secret)
        will = device_topic("doorward", self.script.id, topics.OFFLINE)
        self._client.will_set(will, b'{"status":"offline"}', 1, True)

        def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
            leaf = message.topic.split("/", 3)[-1]
            loop.call_soon_threadsafe(self._take, leaf, bytes(message.payload))

        def on_socket_open(_client: paho.Client, _data: Any, sock: Any) -> None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def on_subscribe(*_: object) -> None:
            loop.call_soon_threadsafe(ready.set)

        self._client.on_message = on_message
        self._client.on_socket_open = on_socket_open
        self._client.on_subscribe = on_subscribe
        self._client.connect("127.0.0.1", self._port)
        self._client.subscribe([(self._topic(leaf), 1) for leaf in topic_tree.DOWN])
        self._client.loop_start()
        await asyncio.wait_for(ready.wait(), _PATIENCE_S)
        self.publish(topics.ONLINE, self.script.hello(), retain=True)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def publish(self, leaf: str, payload: bytes, *, retain: bool = False) -> paho.MQTTMessageInfo:
        return self._client.publish(self._topic(leaf), payload, 1, retain)

    def _take(self, leaf: str, payload: bytes) -> None:
        """Keep what comes; a question about this boot is answered, as every board does."""
        if leaf == topics.CONTROL and b'"command":"status"' in payload:
            command_id = json.loads(self.script.open(leaf, payload))["command_id"]
            done = board_messages.command_result(command_id, "done")
            self.publish(topics.COMMANDS_ACK, self.script.say(topics.COMMANDS_ACK, done))
        else:
            self._inbox.put_nowait((leaf, payload))

    async def heard(self, leaf: str) -> bytes:
        """The next payload on one leaf; what comes on others is kept for later."""
        for index, (where, payload) in enumerate(self._kept):
            if where == leaf:
                del self._kept[index]
                return payload
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                where, payload = await self._inbox.get()
                if where == leaf:
                    return payload
                self._kept.append((where, payload))

    async def anything(self) -> tuple[str, bytes]:
        """The next payload, and its leaf."""
        async with asyncio.timeout(_PATIENCE_S):
            return self._kept.pop(0) if self._kept else await self._inbox.get()

    async def tap(self, uid: bytes, nonce: bytes) -> bytes:
        """Ask, and return the verified body of the answer."""
        self.publish(topics.ACCESS_REQUEST, self.script.ask(uid, nonce))
        payload = await self.heard(topics.ACCESS_RESPONSE)
        assert seal.split(payload).freshness == seal.nonce_word(nonce)
        return self.script.open(topics.ACCESS_RESPONSE, payload)

    async def upload(self, payload: bytes) -> bytes:
        """Send one log entry; return the body of the acknowledgement that this boot may believe, of this entry."""
        self.publish(topics.EVENTS, payload)
        _, epoch, seq = seal.parse_freshness(seal.split(payload).freshness)
        while True:
            ack = await self.heard(topics.EVENTS_ACK)
            # What was kept for a former boot is sealed as well as ever, and worth nothing.
            if seal.parse_freshness(seal.split(ack).freshness)[1] != self.script.boot:
                continue
            body = self.script.open(topics.EVENTS_ACK, ack)
            # The word that follows a hello says what is held already; with that, nothing may be freed.
            said = json.loads(body)
            if said["epoch"] == epoch and said["seq"] >= seq:
                return body

    def _topic(self, leaf: str) -> str:
        return device_topic("doorward", self.script.id, leaf)
