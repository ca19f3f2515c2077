"""MQTT for programs that speak HTTP: say something, listen for a while, ask about topics and figures."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from doorward.app.mqtt import topic_check, topic_leaves
from doorward.app.views.mqtt import Leaf, MqttMessage, MqttStatus, TopicVerdict, Use
from doorward.errors import InvalidInput, NotFound, NotPermitted, Unavailable
from doorward_core import topic_tree

_MOST_LISTENERS = 16
_MOST_FILTERS = 32
_QUIET_S = 1.0  # a listener that hears nothing is asked this often whether it may go on


class Conversation(Protocol):
    """A connection of our own to the broker."""

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """Return when the broker has it."""

    async def subscribe(self, filters: Sequence[str], qos: int) -> object:
        """Raises NotPermitted for a filter that is refused."""

    async def message(self) -> MqttMessage | None:
        """The next message; None when the connection has ended."""


class BrokerView(Protocol):
    """The broker, looked at."""

    def status(self) -> MqttStatus: ...

    def metrics(self) -> Mapping[str, float]: ...

    def exposition(self) -> bytes:
        """The same in Prometheus' text format."""

    def refuses_publish(self, topic: str) -> str | None:
        """The rule that keeps operators from saying something there, None when they may."""

    def converse(self) -> AbstractAsyncContextManager[Conversation]:
        """Connect, with the right to everything but what users never may. Raises Unavailable."""


class MqttDesk:
    """What the API offers. Everything goes through the broker as a client's would, its policy included."""

    def __init__(self, base: str, broker: BrokerView, known: Callable[[str], bool]) -> None:
        """`known` tells whether a board of that id was ever adopted."""
        self._base = base
        self._broker = broker
        self._known = known
        self._listeners = 0

    def status(self) -> MqttStatus:
        return self._broker.status()

    def metrics(self) -> Mapping[str, float]:
        return self._broker.metrics()

    def exposition(self) -> bytes:
        return self._broker.exposition()

    def structure(self) -> tuple[Leaf, ...]:
        return topic_leaves.leaves(self._base)

    def validate(self, topic: str, use: Use | None) -> TopicVerdict:
        return topic_check.check(self._base, topic, use)

    def topics_of(self, device: str) -> tuple[Leaf, ...]:
        """The topics of one board. Raises NotFound."""
        if not self._known(device):
            raise NotFound(f"there is no board {device!r}", "see `doorward device list`")
        return topic_leaves.of_device(self._base, device)

    async def publish(self, message: MqttMessage) -> None:
        """Return when the broker has it.

        Raises NotPermitted for what only the gateway may say to a board, and for what the broker's rules forbid.
        """
        problem = topic_check.problem(message.topic, is_filter=False)
        if problem is not None:
            raise InvalidInput(f"topic: {problem}", "ask topics/validate", field="topic")
        if self._is_for_locks(message.topic):
            raise NotPermitted(
                f"{message.topic!r} is what a lock obeys",
                "commands go through the gateway, which seals them; see `doorward door open`",
                field="topic",
            )
        if message.retain and self._is_a_boards(message.topic):
            raise NotPermitted(
                f"what is retained on {message.topic!r} is its board's own word",
                "publish it without retain; `doorward device revoke` takes it away with its board",
                field="topic",
            )
        rule = self._broker.refuses_publish(message.topic)
        if rule is not None:
            raise NotPermitted(
                f"the broker does not let operators publish to {message.topic!r} ({rule})",
                "see `doorward broker acl list`",
                field="topic",
            )
        async with self._broker.converse() as client:
            await client.publish(message.topic, message.payload, message.qos, retain=message.retain)

    async def listen(
        self,
        filters: Sequence[str],
        qos: int,
        *,
        count: int | None = None,
        seconds: float | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[MqttMessage | None]:
        """Every message of these filters, retained ones first; None stands for a second of silence.

        Ends after `count` messages, after `seconds`, and within a second when `may_go_on` says no. Raises InvalidInput,
        NotPermitted and Unavailable before the first.
        """
        self._check(filters)
        if self._listeners >= _MOST_LISTENERS:
            raise Unavailable(
                f"{self._listeners} programs listen already", "end one, or be an MQTT client"
            )
        self._listeners += 1
        try:
            async with self._broker.converse() as client:
                await client.subscribe(filters, qos)
                # Said at once: whoever waits for it knows from here on that nothing is missed.
                yield None
                async for message in _until(client, count, seconds, may_go_on):
                    yield message
        finally:
            self._listeners -= 1

    def _check(self, filters: Sequence[str]) -> None:
        if not 0 < len(filters) <= _MOST_FILTERS:
            raise InvalidInput(f"topics: give 1 to {_MOST_FILTERS} filters", field="topics")
        for text in filters:
            problem = topic_check.problem(text, is_filter=True)
            if problem is not None:
                raise InvalidInput(f"topics: {problem}", "ask topics/validate", field="topics")

    def _is_a_boards(self, topic: str) -> bool:
        place = topic_tree.parse(self._base, topic)
        return place is not None and place[1] in topic_tree.UP

    def _is_for_locks(self, topic: str) -> bool:
        if topic.startswith(f"{self._base}/{topic_leaves.FLEET_COMMANDS}/"):
            return True
        place = topic_tree.parse(self._base, topic)
        if place is None:
            return False
        suffix = place[1]
        if suffix in topic_tree.UP:
            return False
        return suffix in topic_tree.DOWN or suffix.startswith("commands/")


async def _until(
    client: Conversation,
    count: int | None,
    seconds: float | None,
    may_go_on: Callable[[], bool],
) -> AsyncIterator[MqttMessage | None]:
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    left = count
    waiting: asyncio.Future[MqttMessage | None] | None = None
    try:
        while (left is None or left > 0) and may_go_on():
            patience = _QUIET_S if end is None else min(_QUIET_S, end - loop.time())
            if patience <= 0:
                return
            # Not wait_for: a time-out must not lose a message that comes at that moment.
            waiting = waiting or asyncio.ensure_future(client.message())
            done, _ = await asyncio.wait({waiting}, timeout=patience)
            if not done:
                yield None
                continue
            message, waiting = waiting.result(), None
            if message is None:
                raise Unavailable("the broker closed the connection", "see its log")
            left = None if left is None else left - 1
            yield message
    finally:
        if waiting is not None:
            waiting.cancel()
