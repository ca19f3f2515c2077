"""What the API takes and gives about MQTT."""

import base64
import binascii
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from doorward.app.views.mqtt import MqttMessage
from doorward.web.api.shapes.base import Answer, Order

# Longer than MQTT allows, so that it is told why, and not that a string is too long.
Topic = Annotated[str, Field(max_length=70_000)]
Qos = Annotated[int, Field(ge=0, le=2)]


class PublishOrder(Order):
    """A message: its payload as text, or as base64."""

    topic: Topic
    payload: str = ""
    payload_base64: str | None = None
    qos: Qos = 0
    retain: bool = False

    @model_validator(mode="after")
    def _one_payload(self) -> Self:
        if self.payload and self.payload_base64 is not None:
            message = "give payload or payload_base64, not both"
            raise ValueError(message)
        self.content()
        return self

    def content(self) -> bytes:
        """The payload. Raises ValueError."""
        if self.payload_base64 is None:
            return self.payload.encode()
        try:
            return base64.b64decode(self.payload_base64, validate=True)
        except binascii.Error:
            message = "payload_base64 is no base64"
            raise ValueError(message) from None


class SubscribeOrder(Order):
    """What to listen to: one filter or several, and for how long."""

    topic: Topic | None = None
    topics: Annotated[tuple[Topic, ...], Field(max_length=64)] = ()
    qos: Qos = 0
    count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None

    def filters(self) -> list[str]:
        """All of them."""
        return [*([self.topic] if self.topic is not None else []), *self.topics]


class ValidateOrder(Order):
    """A text that should be a topic, and what for."""

    topic: Topic
    use: Literal["publish", "subscribe"] | None = None


class ListenersAnswer(Answer):
    """Ports of this machine; null where nobody listens."""

    host: str
    tls: int | None
    websocket: int | None
    plain: int | None


class MqttStatusAnswer(Answer):
    """The broker at a glance."""

    broker: str
    connected: bool
    listeners: ListenersAnswer
    numbers: dict[str, int]


class PublishedAnswer(Answer):
    """The broker has it."""

    topic: str
    qos: int
    retain: bool
    bytes: int


class MessageAnswer(Answer):
    """A message; `payload` is null when it is no text."""

    topic: str
    payload: str | None
    payload_base64: str
    qos: int
    retain: bool


class HeardAnswer(Answer):
    """What came, and what ended the waiting."""

    messages: list[MessageAnswer]
    ended: Literal["count", "seconds"]


class LeafAnswer(Answer):
    """One leaf of the topic tree."""

    topic: str
    direction: Literal["up", "down", "site"]
    qos: int
    retained: bool
    publisher: str
    reader: str
    meaning: str
    used: bool


class StructureAnswer(Answer):
    """Every leaf."""

    leaves: list[LeafAnswer]


class DeviceTopicsAnswer(Answer):
    """The leaves of one board."""

    device_id: str
    topics: list[LeafAnswer]


class TopicFindingAnswer(Answer):
    """Something about a topic: an error keeps it from being used."""

    code: str
    level: Literal["error", "warning"]
    reason: str


class TopicVerdictAnswer(Answer):
    """Whether a text is a topic or a filter."""

    topic: str
    kind: Literal["topic", "filter"]
    valid: bool
    findings: list[TopicFindingAnswer]
    suggestion: str | None
    leaf: LeafAnswer | None


class MetricsAnswer(Answer):
    """Figures by name, as Prometheus is given them."""

    metrics: dict[str, float]


def told(message: MqttMessage) -> MessageAnswer:
    """A message as JSON can hold it."""
    try:
        text = message.payload.decode()
    except UnicodeDecodeError:
        text = None
    return MessageAnswer(
        topic=message.topic,
        payload=text,
        payload_base64=base64.b64encode(message.payload).decode(),
        qos=message.qos,
        retain=message.retain,
    )
