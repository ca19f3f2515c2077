"""The broker as the API sees it, whichever broker that is: figures, and clients of our own that speak for operators."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import chain

from doorward.adapters.metrics import Exposition
from doorward.adapters.mqtt_client import Login, MqttClient
from doorward.app import figures
from doorward.app.figures import Distribution, Figure
from doorward.app.mqtt.desk import Conversation
from doorward.app.views.mqtt import Listeners, MqttStatus
from doorward.broker import Policy, Principal, Role
from doorward.remote_broker import RemoteBroker
from doorward.runtime.brokers.own_clients import API_NAME

Read = Callable[[], Iterable[Figure | Distribution]]


class MqttView:
    """A `BrokerView`. `reads` give the figures; who else has some adds to them."""

    def __init__(
        self,
        kind: str,
        listeners: Listeners,
        policy: Policy,
        broker: RemoteBroker,
        login: Login,
        connected: Callable[[], bool],
        numbers: Callable[[], Mapping[str, int]],
        reads: Iterable[Read] = (),
    ) -> None:
        """`broker` and `login`: how our own clients come to it; `numbers` is what a glance at it shows."""
        self._kind = kind
        self._listeners = listeners
        self._policy = policy
        self._broker = broker
        self._login = login
        self._connected = connected
        self._numbers = numbers
        self.reads = list(reads)
        self._exposition = Exposition(self._read)

    def status(self) -> MqttStatus:
        return MqttStatus(self._kind, self._connected(), self._listeners, self._numbers())

    def metrics(self) -> Mapping[str, float]:
        return figures.flat(self._read())

    def exposition(self) -> bytes:
        return self._exposition.text()

    def refuses_publish(self, topic: str) -> str | None:
        return self._policy.refuses_publish(Principal(API_NAME, Role.API), topic)

    def converse(self) -> AbstractAsyncContextManager[Conversation]:
        client_id = f"{API_NAME}/{secrets.token_hex(6)}"
        return MqttClient(self._broker, replace(self._login, client_id=client_id))

    def _read(self) -> Iterable[Figure | Distribution]:
        return chain.from_iterable(read() for read in self.reads)
