"""Messages arrive in the order in which they were sent, whatever they weigh and whatever carries them."""

import asyncio
import hashlib
import ssl
from typing import Literal

import paho.mqtt.client as paho
import pytest
from broker_support import PATIENCE, running_broker, secret
from tls_witness import Issuer

from doorward.broker import Limits, OverWebSocket, Secure
from doorward.runtime.servers import tls
from doorward_core import mqtt

_MESSAGES = 160
_SMALLEST, _LARGEST = 1, (1 << 18) - 64  # the largest packet is 256 KiB with its header
_TOPIC = "school/order"


class Listener:
    """Subscribes at QoS 2 and writes down what comes: the number in front, and whether the rest is whole."""

    def __init__(
        self, name: str, transport: Literal["tcp", "websockets"], context: ssl.SSLContext
    ) -> None:
        self.heard: list[tuple[int, int, bytes]] = []
        self._loop = asyncio.get_running_loop()
        self.subscribed, self.done = asyncio.Event(), asyncio.Event()
        version = paho.CallbackAPIVersion.VERSION2
        self._client = client = paho.Client(version, client_id=name, transport=transport)
        client.tls_set_context(context)
        client.tls_insecure_set(True)  # it asks for another name; the CA is checked
        client.username_pw_set("ann", secret("ann"))
        client.on_connect = lambda *_: client.subscribe(_TOPIC, 2)
        client.on_subscribe = lambda *_: self._loop.call_soon_threadsafe(self.subscribed.set)
        client.on_message = self._on_message

    async def start(self, port: int) -> None:
        await asyncio.to_thread(self._client.connect, "127.0.0.1", port)
        self._client.loop_start()
        await asyncio.wait_for(self.subscribed.wait(), PATIENCE)

    async def stop(self) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.heard.append(_seen(bytes(message.payload)))
        if len(self.heard) == _MESSAGES:
            self._loop.call_soon_threadsafe(self.done.set)


def _seen(payload: bytes) -> tuple[int, int, bytes]:
    """Which one it is, how long, and what is in it."""
    return payload[0], len(payload), hashlib.sha256(payload).digest()


@pytest.mark.parametrize("qos", [1, 2])
async def test_large_and_small_messages_keep_their_order_over_tls_and_websocket(
    tmp_path, dice, seed, qos
):
    issuer = Issuer()
    served = tls.for_users(issuer.pem.encode())
    tls.load_chain(served, issuer.server(tmp_path / "server.pem"))
    trusting = ssl.create_default_context(cadata=issuer.pem)
    sizes = [
        dice.choice((_SMALLEST, _LARGEST, dice.randint(_SMALLEST, _LARGEST), dice.randint(1, 2000)))
        for _ in range(_MESSAGES)
    ]
    sent = [bytes([number]) + dice.randbytes(size - 1) for number, size in enumerate(sizes)]
    limits = Limits(publish_rate=0, publish_bytes=0, queued_bytes=64 << 20, unread=64 << 20)
    async with running_broker(
        tmp_path,
        users=("ann",),
        limits=limits,
        secure=Secure("127.0.0.1", 0, served),
        websocket=OverWebSocket("127.0.0.1", 0, served),
    ) as site:
        listeners = [
            (Listener("over-tls", "tcp", trusting), site.broker.secure_port),
            (Listener("over-websocket", "websockets", trusting), site.broker.websocket_port),
        ]
        for listener, port in listeners:
            await listener.start(port)
        async with site.client("ann", client_id="sender") as sender:
            for number, payload in enumerate(sent, 1):
                sender.write(mqtt.publish(_TOPIC, payload, qos, False, False, number))
            for listener, _port in listeners:
                await asyncio.wait_for(listener.done.wait(), PATIENCE * 4)
        for listener, _port in listeners:
            await listener.stop()
            assert listener.heard == [_seen(payload) for payload in sent], f"seed {seed}"
