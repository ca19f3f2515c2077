"""`doorward sub`: listen to a broker, ours or another."""

import base64
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from doorward.cli.failure import Failure
from doorward.cli.mqtt_side import Side, broker_options
from doorward.cli.options import common
from doorward.cli.text import clean
from doorward.errors import DoorwardError, Unavailable

if TYPE_CHECKING:
    from doorward.adapters.mqtt_client import MqttClient


@dataclass(frozen=True, slots=True)
class _Heard:
    topic: str
    payload: bytes
    qos: int
    retain: bool


@click.command()
@click.option(
    "-t", "--topic", "topics", multiple=True, required=True, help="A filter; again for more."
)
@click.option("-v", "--verbose", is_flag=True, help="Print the topic before the payload.")
@click.option("-C", "--count", type=click.IntRange(1), help="End after so many messages.")
@click.option(
    "-W", "--timeout", type=click.FloatRange(0, min_open=True), help="End after so many seconds."
)
@broker_options
@common
def sub(
    topics: tuple[str, ...],
    count: int | None,
    timeout: float | None,
    *,
    verbose: bool,
    qos: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Print every message of the topics, a line each, until Ctrl-C.

    With --count it fails when they do not come before --timeout. Without --host it listens to the broker of this
    installation, with no password: the local socket is the authority.
    """
    import asyncio

    side = Side.of(options)
    heard = 0

    def tell(message: _Heard) -> None:
        nonlocal heard
        heard += 1
        _print(message, verbose=verbose, as_json=as_json)

    try:
        client = side.client()
        if client is None:
            for message in _over_the_api(side, topics, qos, count, timeout):
                tell(message)
        else:
            asyncio.run(_listen(client, topics, qos, count, timeout, tell))
    except KeyboardInterrupt:
        return
    except DoorwardError as error:
        raise Failure(error.message, code=error.code, field=error.field) from error
    if count is not None and heard < count:
        raise Failure(f"{heard} of {count} messages came in {timeout:g} s", code="timeout")


async def _listen(
    client: "MqttClient",
    filters: Sequence[str],
    qos: int,
    count: int | None,
    seconds: float | None,
    tell: Any,
) -> None:
    import asyncio

    async with client:
        await client.subscribe(filters, qos)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for message in _messages(client, count):
                    tell(message)


async def _messages(client: "MqttClient", count: int | None) -> AsyncIterator[_Heard]:
    left = count
    while left is None or left > 0:
        message = await client.message()
        if message is None:
            raise Unavailable("the broker closed the connection", "see its log")
        yield _Heard(message.topic, message.payload, message.qos, message.retain)
        left = None if left is None else left - 1


def _over_the_api(
    side: Side, filters: Sequence[str], qos: int, count: int | None, seconds: float | None
) -> Iterator[_Heard]:
    from doorward.cli.client import Api

    order = {"topics": list(filters), "qos": qos, "count": count, "seconds": seconds}
    with Api(side.data) as api:
        for line in api.post_for_lines("mqtt/subscribe", order):
            yield _Heard(
                line["topic"],
                base64.b64decode(line["payload_base64"]),
                line["qos"],
                line["retain"],
            )


def _print(message: _Heard, *, verbose: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_json(message)))
    elif sys.stdout.isatty():
        # What others publish must not steer the terminal of who reads it.
        text = message.payload.decode("utf-8", "backslashreplace")
        click.echo(clean(f"{message.topic} {text}" if verbose else text))
    else:
        head = f"{message.topic} ".encode() if verbose else b""
        click.echo(head + message.payload)
    sys.stdout.flush()


def _as_json(message: _Heard) -> dict[str, object]:
    told: dict[str, object] = {"topic": message.topic, "qos": message.qos, "retain": message.retain}
    try:
        return {**told, "payload": message.payload.decode()}
    except UnicodeDecodeError:
        return {**told, "payload_base64": base64.b64encode(message.payload).decode()}
