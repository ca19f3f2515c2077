"""Short talks with Mosquitto on its loopback listener: commands for its dynamic-security plugin, and a broom.

A connection a talk: there is nothing to keep alive, and nothing to lose when Mosquitto is started anew.
"""

import json
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from doorward.adapters.mosquitto.accounts import CONTROL
from doorward.adapters.mosquitto.grants import Command
from doorward.errors import Unavailable

_HOST = "127.0.0.1"
_CONNECT_S = 3.0
_ANSWER_S = 10.0
_TURN_S = 0.05
_ASK = "$CONTROL/dynamic-security/v1"
_ANSWER = "$CONTROL/dynamic-security/v1/response"
_PAGE = 200  # accounts or roles in one answer
_BATCH = 64 * 1024  # bytes of commands in one packet: well below what Mosquitto takes
_START = "start it with `doorward broker mosquitto start`"
_SETUP = (
    "stop the gateway and Mosquitto, run `doorward broker mosquitto setup --again`, and start both:"
    " the account is made anew"
)


class Talk:
    """One connection, on which things are done one after the other. Raises Unavailable for whatever goes wrong."""

    def __init__(self, port: int, name: str, secret: str) -> None:
        """Connect with a clean session: what there was of an older one is gone."""
        self._port = port
        self._inbox: list[paho.MQTTMessage] = []
        self._granted: dict[int, Sequence[ReasonCode]] = {}
        self._settled: set[int] = set()
        self._said: str | None = None
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, reconnect_on_failure=False
        )
        client.username_pw_set(name, secret)
        client.connect_timeout = _CONNECT_S
        client.on_connect = self._on_connect
        client.on_message = lambda _client, _data, message: self._inbox.append(message)
        client.on_subscribe = self._on_subscribe
        client.on_publish = lambda _client, _data, mid, *_: self._settled.add(mid)
        client.on_socket_open = _without_delay
        try:
            client.connect(_HOST, port)
        except OSError as error:
            raise Unavailable(f"Mosquitto does not answer on {_HOST}:{port}", _START) from error
        self._until(lambda: self._said is not None, "does not greet")
        if self._said != "Success":
            self.close()
            raise Unavailable(f"Mosquitto does not let {name} in ({self._said})", _SETUP)

    def command(self, *commands: Command) -> list[Command]:
        """Do these, in order; returns their answers. The first that Mosquitto refuses is named, and ends it."""
        self._listen(_ANSWER)
        answers: list[Command] = []
        for batch in _batches(commands):
            answers += self._do(batch)
        return answers

    def listed(self, command: str, key: str) -> list[Command]:
        """All of a listing (`listClients`, `listRoles`), with everything that is known of each."""
        found: list[Command] = []
        while True:
            (answer,) = self.command(
                {"command": command, "verbose": True, "count": _PAGE, "offset": len(found)}
            )
            page = answer["data"][key]
            found += page
            if not page or len(found) >= answer["data"]["totalCount"]:
                return found

    def sweep(self, filters: Iterable[str]) -> int:
        """Clear what is retained under these filters; returns how many messages that were."""
        self._inbox.clear()
        for one in filters:
            self._listen(one)
        # What is retained comes right behind the answer to the subscription; one turn of a command comes after it.
        self.command({"command": "getDefaultACLAccess"})
        kept = [message.topic for message in self._inbox if message.retain]
        for topic in kept:
            self._publish(topic, b"", retain=True)
        self._inbox.clear()
        return len(kept)

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_write()
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _do(self, batch: list[Command]) -> list[Command]:
        marks = [secrets.token_hex(8) for _ in batch]
        marked = [
            {**command, "correlationData": mark} for command, mark in zip(batch, marks, strict=True)
        ]
        answers: dict[str, Command] = {}

        def answered() -> bool:
            inbox, self._inbox = self._inbox, []
            for message in inbox:
                if message.topic != _ANSWER:
                    self._inbox.append(message)
                    continue
                # Version 2.0.11 names freed memory where a role was deleted before its accounts.
                text = message.payload.decode(errors="replace")
                for answer in json.loads(text, strict=False)["responses"]:
                    answers[answer.get("correlationData", "")] = answer
            return all(mark in answers for mark in marks)

        self._publish(_ASK, json.dumps({"commands": marked}).encode())
        self._until(answered, "does not take commands: its dynamic-security plugin is not ours")
        for command, mark in zip(batch, marks, strict=True):
            if "error" in answers[mark]:
                raise Refused(command, str(answers[mark]["error"]))
        return [answers[mark] for mark in marks]

    def _listen(self, topic_filter: str) -> None:
        mid = self._client.subscribe(topic_filter, qos=1)[1] or 0
        self._until(lambda: mid in self._granted, "does not answer a subscription")
        if any(code.is_failure for code in self._granted[mid]):
            raise Unavailable(f"Mosquitto does not let us read {topic_filter}", _SETUP)

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        self._until(lambda: sent.mid in self._settled, "does not acknowledge")

    def _until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _ANSWER_S
        while not done():
            result = self._client.loop(_TURN_S)
            if result != paho.MQTT_ERR_SUCCESS and not done():
                raise Unavailable(f"Mosquitto on port {self._port} ended the connection", _START)
            if time.monotonic() > deadline:
                raise Unavailable(f"Mosquitto on port {self._port} {what}", _SETUP)

    def _on_connect(
        self, _client: object, _data: object, _flags: object, reason: ReasonCode, *_: object
    ) -> None:
        self._said = str(reason)

    def _on_subscribe(
        self, _client: object, _data: object, mid: int, codes: Sequence[ReasonCode], *_: object
    ) -> None:
        self._granted[mid] = codes


class Refused(Unavailable):
    """Mosquitto's plugin does not do what it was asked. `reason` is its own word."""

    def __init__(self, command: Command, reason: str) -> None:
        """Name the command and whom it was about, and never a password."""
        whom = command.get("username") or command.get("rolename") or ""
        super().__init__(
            f"Mosquitto refused {command['command']} {whom}: {reason}".replace(" :", ":"),
            "run `doorward broker mosquitto sync`, which begins with what is there",
        )
        self.reason = reason


@contextmanager
def talk(port: int, secret: str, name: str = CONTROL) -> Iterator[Talk]:
    """A talk as the account that says who may do what, or as another. Raises Unavailable."""
    begun = Talk(port, name, secret)
    try:
        yield begun
    finally:
        begun.close()


def _batches(commands: Sequence[Command]) -> Iterator[list[Command]]:
    batch: list[Command] = []
    size = 0
    for command in commands:
        length = len(json.dumps(command))
        if batch and size + length > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(command)
        size += length
    if batch:
        yield batch


def _without_delay(_client: object, _data: object, sock: object) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
