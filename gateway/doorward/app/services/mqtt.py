"""What the API and the command line can ask about MQTT; errors as in `services`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

from doorward.app.views.mqtt import Leaf, MqttMessage, MqttStatus, TopicVerdict, Use


class MqttAccess(Protocol):
    """MQTT for programs that speak HTTP."""

    def status(self) -> MqttStatus: ...

    def metrics(self) -> Mapping[str, float]:
        """Every figure of the broker by its name."""

    def exposition(self) -> bytes:
        """The same in Prometheus' text format."""

    def structure(self) -> tuple[Leaf, ...]:
        """Every leaf of the topic tree."""

    def validate(self, topic: str, use: Use | None) -> TopicVerdict:
        """Whether a text can be a topic or a filter, and what was probably meant."""

    def topics_of(self, device: str) -> tuple[Leaf, ...]: ...

    async def publish(self, message: MqttMessage) -> None:
        """Return when the broker has it. Raises NotPermitted for what a lock obeys."""

    def listen(
        self,
        filters: Sequence[str],
        qos: int,
        *,
        count: int | None = None,
        seconds: float | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[MqttMessage | None]:
        """Messages as they come; None as a sign of life, first when the broker has agreed to all filters."""
