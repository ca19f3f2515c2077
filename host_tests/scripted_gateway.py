"""A gateway that a test holds in its hand: it sees what a board says, and says what the test wants.

It speaks through a foreign broker (mosquitto) with a foreign client (paho) and only shares
`doorward_core` with the product.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho

from doorward_core import (
    gateway_cache,
    gateway_messages,
    gateway_seal,
    records_build,
    schedule,
    seal,
    topic_tree,
    topics,
)

KEY = bytes(range(32))
MEMBER = bytes.fromhex("04a1b2c3d4e5f6")  # whose card opens
STAMP = "2026-11-21T10:30:00Z"


def profile(port: int, device: str = "front") -> dict[str, Any]:
    """The config.json of a door board whose broker listens on `port`."""
    return {
        "id": device,
        "base": "doorward",
        "broker": {"host": "127.0.0.1", "port": port},
        "secret": "ab" * 32,
        "key": KEY.hex(),
        "key_epoch": 1,
        "wifi": None,
        "pins": {
            "strike": {"pin": 25, "active": 1},
            "contact": {"pin": 32, "closed": 0},
            "reader": {"spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 21, "rst": 22},
        },
        "door": {"strike_s": 1, "cap_s": 10, "held_s": 2},
        "poll_ms": 50,
    }


class ScriptedGateway:
    """Answers calls for `cards` unless told not to; keeps everything it heard."""

    def __init__(self, port: int, device: str = "front") -> None:
        self.keys = seal.Keys(device, KEY)
        self.device = device
        self.port = port
        self.cards: set[bytes] = set()
        self.seconds = 1
        self.answers = True
        self.boot = b""
        self.heard: list[tuple[str, bytes]] = []
        self.requests: list[str] = []
        self.sent: list[tuple[str, bytes]] = []
        self.events: list[dict[str, Any]] = []
        self.acks: list[dict[str, Any]] = []
        self._number = time.time_ns() // 1_000_000
        self._digest = seal.CHAIN_START
        self._put_back: tuple[list[dict[str, Any]], bytes] | None = None
        self._cached = b""
        self._ready = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, f"gateway-{device}")
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"doorward/devices/{device}/#", 1)
        self._client.loop_start()
        assert self._ready.wait(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def log_so_far(self) -> tuple[list[dict[str, Any]], bytes]:
        """Return what the gateway knows of the board's log: for `put_back`."""
        return list(self.events), self._digest

    def put_back(self, log: tuple[list[dict[str, Any]], bytes]) -> None:
        """The board's flash is put back to what it was then: the gateway's log follows with the board's next hello."""
        self._put_back = log

    # --- saying

    def publish(self, suffix: str, payload: bytes, *, retain: bool = False) -> None:
        self.sent.append((suffix, payload))
        self._client.publish(f"doorward/devices/{self.device}/{suffix}", payload, 1, retain)

    def say(self, suffix: str, body: bytes) -> None:
        self._number += 1
        word = seal.session_word(self.boot, self._number)
        self.publish(suffix, seal.seal(self.keys, suffix, word, body))

    def command(self, name: str, parameters: dict[str, Any], command_id: str = "c1") -> None:
        self.say(topics.CONTROL, gateway_messages.command(name, parameters, command_id, STAMP, 30))

    def answer(self, word: str, *, granted: bool = True, keys: seal.Keys | None = None) -> bytes:
        body = gateway_messages.access_answer(granted, 10, self.seconds, STAMP)
        return seal.seal(keys or self.keys, topics.ACCESS_RESPONSE, word, body)

    def sealed_command(
        self, word: str, name: str, parameters: dict[str, Any], command_id: str = "c1"
    ) -> bytes:
        body = gateway_messages.command(name, parameters, command_id, STAMP, 30)
        return seal.seal(self.keys, topics.CONTROL, word, body)

    def unlock(self, nonce: str, command_id: str = "c1", seconds: int = 1) -> bytes:
        return self.sealed_command("n:" + nonce, "unlock", {"seconds": seconds}, command_id)

    def offer_cache(self, version: int, uids: list[bytes]) -> None:
        marks = [(seal.tag(self.keys, uid), 0, 1) for uid in uids]
        windows = [(1, 1, *schedule.ALWAYS[0])]
        self._cached = records_build.build(
            self.keys, version, 0, 2**32 - 1, 2**32 - 1, windows, [(None, None, 0)], marks
        )
        digest = hashlib.sha256(self._cached).digest()
        body = gateway_cache.config(version, len(self._cached), digest, 1000, 10000, 2000)
        word = gateway_seal.counter_word(version)
        self.publish(topics.CONFIG, seal.seal(self.keys, topics.CONFIG, word, body), retain=True)

    # --- hearing

    def events_of(self, kind: str) -> list[dict[str, Any]]:
        return [event["data"] for event in self.events if event["type"] == kind]

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        found = topic_tree.parse("doorward", message.topic)
        if found is None or found[1] in topic_tree.DOWN:
            return
        suffix = found[1]
        payload = bytes(message.payload)
        self.heard.append((suffix, payload))
        answer: dict[str, Callable[[bytes], None]] = {
            topics.ONLINE: self._on_hello,
            topics.EVENTS: self._on_event,
            topics.ACCESS_REQUEST: self._on_tap,
            topics.TIME_REQUEST: self._on_time,
            topics.COMMANDS_ACK: self._on_ack,
        }
        if suffix in answer and message.payload:
            answer[suffix](payload)

    def _on_hello(self, payload: bytes) -> None:
        sealed = seal.open_sealed(self.keys, topics.ONLINE, payload)
        boot = seal.parse_freshness(sealed.freshness)[1]
        assert isinstance(boot, bytes)
        if self._put_back is not None and boot != self.boot:
            self.events, self._digest = list(self._put_back[0]), self._put_back[1]
            self._put_back = None
        self.boot = boot
        epoch = gateway_messages.parse_hello(sealed.body).log_epoch
        self._say_held(epoch)

    def _say_held(self, epoch: str) -> None:
        newest = self.events[-1]["seq"] if self.events else 0
        self.say(topics.EVENTS_ACK, gateway_messages.events_ack(epoch, newest, self._digest))

    def _on_event(self, payload: bytes) -> None:
        parts = seal.split(payload)
        _, epoch, seq = seal.parse_freshness(parts.freshness)
        assert isinstance(epoch, str)
        if not any(event["seq"] == seq for event in self.events):
            digest = seal.chain(self._digest, epoch, seq, parts.body)
            seal.open_sealed(self.keys, topics.EVENTS, payload, digest)
            self._digest = digest
            self.events.append(json.loads(parts.body))
        self._say_held(epoch)

    def _on_tap(self, payload: bytes) -> None:
        sealed = seal.open_sealed(self.keys, topics.ACCESS_REQUEST, payload)
        self.requests.append(sealed.freshness)
        nonce = seal.parse_freshness(sealed.freshness)[1]
        assert isinstance(nonce, bytes)
        request = gateway_messages.parse_access_request(sealed.body)
        uid = gateway_seal.decrypt_uid(self.keys, nonce, request.credential)
        if self.answers:
            granted = uid in self.cards
            self.publish(topics.ACCESS_RESPONSE, self.answer(sealed.freshness, granted=granted))

    def _on_time(self, payload: bytes) -> None:
        sealed = seal.open_sealed(self.keys, topics.TIME_REQUEST, payload)
        body = gateway_messages.time_answer(int(time.time()), 0, 0, 0)
        self.publish(
            topics.TIME_RESPONSE,
            seal.seal(self.keys, topics.TIME_RESPONSE, sealed.freshness, body),
        )

    def _on_ack(self, payload: bytes) -> None:
        body = seal.open_sealed(self.keys, topics.COMMANDS_ACK, payload).body
        self.acks.append(json.loads(body))
        ack = gateway_messages.parse_command_ack(body)
        if ack.want:
            chunk = gateway_cache.cache_chunk(ack.version, ack.offset, self._cached)
            word = gateway_seal.counter_word(ack.version)
            self.publish(topics.CACHE, seal.seal(self.keys, topics.CACHE, word, chunk))
