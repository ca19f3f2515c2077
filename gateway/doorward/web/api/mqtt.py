"""MQTT for programs that speak HTTP. Bad input is answered with 400 here: these paths are older than this gateway."""

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from doorward.app.views.mqtt import Leaf, MqttMessage, MqttStatus, TopicVerdict
from doorward.domain.permissions import MQTT_EDIT, MQTT_PUBLISH, MQTT_SEE
from doorward.web.api.shapes.mqtt import (
    DeviceTopicsAnswer,
    HeardAnswer,
    LeafAnswer,
    MetricsAnswer,
    MqttStatusAnswer,
    PublishedAnswer,
    PublishOrder,
    StructureAnswer,
    SubscribeOrder,
    TopicVerdictAnswer,
    ValidateOrder,
    told,
)
from doorward.web.context import WebDep
from doorward.web.permission import needs, still_may

router = APIRouter(prefix="/mqtt", tags=["mqtt"])
metrics_router = APIRouter(tags=["mqtt"])

_LINES = "application/jsonl"
_ALIVE_EVERY = 15  # seconds of silence
_ONE_ANSWER_S, _ONE_ANSWER_COUNT = 5.0, 100
_LONGEST_ANSWER_S, _LARGEST_ANSWER = 60.0, 1000
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/status", response_model=MqttStatusAnswer, dependencies=[needs(MQTT_SEE)])
async def status(web: WebDep) -> MqttStatus:
    """Tell which broker is in use, where it listens and how much it has to do."""
    return web.services.mqtt.status()


@router.post("/publish", dependencies=[needs(MQTT_PUBLISH)])
async def publish(web: WebDep, order: PublishOrder) -> PublishedAnswer:
    """Publish a message, and answer when the broker has it. What a lock obeys is refused: commands are sealed."""
    payload = order.content()
    message = MqttMessage(order.topic, payload, order.qos, order.retain)
    await web.services.mqtt.publish(message)
    return PublishedAnswer(
        topic=order.topic, qos=order.qos, retain=order.retain, bytes=len(payload)
    )


@router.post("/subscribe", response_model=HeardAnswer, dependencies=[needs(MQTT_EDIT)])
async def subscribe(request: Request, web: WebDep, order: SubscribeOrder) -> Any:
    """Listen for a while: one answer with what came, or with `Accept: application/jsonl` a line each as it comes.

    The one answer ends after `count` messages (100, at most 1000) or `seconds` (5, at most 60). Lines end there too if
    it is said, else when the connection or the session does; an empty line is a sign of life.
    """
    lines = _LINES in request.headers.get("accept", "")
    seconds = order.seconds
    count = order.count
    if not lines:
        seconds = min(seconds or _ONE_ANSWER_S, _LONGEST_ANSWER_S)
        count = min(count or _ONE_ANSWER_COUNT, _LARGEST_ANSWER)
    heard = web.services.mqtt.listen(
        order.filters(),
        order.qos,
        count=count,
        seconds=seconds,
        may_go_on=still_may(request, web, MQTT_EDIT),
    )
    await anext(heard)  # raises here what is wrong with the request
    if lines:
        return StreamingResponse(_as_lines(heard), media_type=_LINES)
    messages = [told(message) async for message in heard if message is not None]
    ended: Literal["count", "seconds"] = "count" if len(messages) == count else "seconds"
    return HeardAnswer(messages=messages, ended=ended)


@router.get("/topics/structure", dependencies=[needs(MQTT_SEE)])
async def structure(web: WebDep) -> StructureAnswer:
    """List every leaf of the topic tree."""
    return StructureAnswer(leaves=[_leaf(leaf) for leaf in web.services.mqtt.structure()])


@router.post("/topics/validate", response_model=TopicVerdictAnswer, dependencies=[needs(MQTT_SEE)])
async def validate(web: WebDep, order: ValidateOrder) -> TopicVerdict:
    """Judge a topic or a filter, with the reason, and say what was probably meant."""
    return web.services.mqtt.validate(order.topic, order.use)


@router.get("/topics/device/{device_id}", dependencies=[needs(MQTT_SEE)])
async def device_topics(web: WebDep, device_id: str) -> DeviceTopicsAnswer:
    """List the topics of one board."""
    leaves = web.services.mqtt.topics_of(device_id)
    return DeviceTopicsAnswer(device_id=device_id, topics=[_leaf(leaf) for leaf in leaves])


@router.get("/monitoring/metrics", dependencies=[needs(MQTT_SEE)])
async def monitoring(web: WebDep) -> MetricsAnswer:
    """Give every figure of the broker by its name."""
    return MetricsAnswer(metrics=dict(web.services.mqtt.metrics()))


@metrics_router.get("/metrics", dependencies=[needs(MQTT_SEE)])
async def prometheus(web: WebDep) -> Response:
    """Give the same to Prometheus, which shows a token."""
    return Response(web.services.mqtt.exposition(), media_type=_EXPOSITION)


def _leaf(leaf: Leaf) -> LeafAnswer:
    return LeafAnswer.model_validate(leaf)


async def _as_lines(heard: AsyncIterator[MqttMessage | None]) -> AsyncIterator[bytes]:
    silent = 0
    # The first line tells that nothing is missed from here on.
    yield b"\n"
    async for message in heard:
        silent = 0 if message else silent + 1
        if message is not None:
            yield json.dumps(told(message).model_dump()).encode() + b"\n"
        elif silent % _ALIVE_EVERY == 0:
            yield b"\n"
