"""`doorward pub`: say something to a broker, ours or another."""

import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorward.cli.failure import Failure
from doorward.cli.mqtt_side import Side, broker_options
from doorward.cli.options import common, show
from doorward.cli.text import clean
from doorward.errors import DoorwardError

if TYPE_CHECKING:
    from doorward.adapters.mqtt_client import MqttClient


@click.command()
@click.option("-t", "--topic", required=True, help="The topic to publish to.")
@click.option("-m", "--message", help="The payload. Without it and without --file it is empty.")
@click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Take the payload from a file, or - for stdin.",
)
@click.option("-r", "--retain", is_flag=True, help="Have the broker keep it for who comes later.")
@broker_options
@common
def pub(
    topic: str,
    message: str | None,
    file: Path | None,
    *,
    retain: bool,
    qos: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Publish one message, and end when the broker has it.

    Without --host it goes to the broker of this installation, with no password: the local socket is the authority.
    """
    import asyncio

    side = Side.of(options)
    payload = _payload(message, file)
    try:
        client = side.client()
        if client is None:
            _over_the_api(side, topic, payload, qos, retain=retain)
        else:
            asyncio.run(_publish(client, topic, payload, qos, retain=retain))
    except DoorwardError as error:
        raise Failure(error.message, code=error.code, field=error.field) from error
    allowed = client is None or _check_allowed(side, client.client_id, topic)
    said = f"published {len(payload)} bytes to {topic}"
    if not allowed:
        said = f"sent {len(payload)} bytes to {topic}; brokers do not say whether a rule stops them"
    told = {"topic": topic, "qos": qos, "retain": retain, "bytes": len(payload)}
    show(told | {"allowed": allowed or None}, clean(said), as_json=as_json)


def _payload(message: str | None, file: Path | None) -> bytes:
    if message is not None and file is not None:
        raise click.UsageError("give --message or --file, not both")
    if file is None:
        return (message or "").encode("utf-8", "surrogateescape")
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise Failure(
            f"{file} cannot be read ({error.strerror})", code="invalid", field="file"
        ) from error


async def _publish(
    client: "MqttClient", topic: str, payload: bytes, qos: int, *, retain: bool
) -> None:
    async with client:
        await client.publish(topic, payload, qos, retain=retain)


def _check_allowed(side: Side, client_id: str, topic: str) -> bool:
    """Whether the rules let it through; False where nobody can be asked. Raises Failure when they do not.

    A broker acknowledges what it refuses like anything else: MQTT 3.1.1 has no other answer (3.3.5).
    """
    from doorward.cli.client import Api

    if side.is_elsewhere or side.username is None:
        return False
    with Api(side.data) as api:
        found = api.get(
            "broker/acl/explain",
            principal=side.username,
            action="publish",
            topic=topic,
            client=client_id,
        )
    if not found["allowed"]:
        raise Failure(
            f"the broker does not let {side.username} publish to {topic!r} ({found['why']}); "
            "see `doorward broker acl list`",
            code="not_permitted",
            field="topic",
        )
    return True


def _over_the_api(side: Side, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
    from doorward.cli.client import Api

    order = {
        "topic": topic,
        "payload_base64": base64.b64encode(payload).decode(),
        "qos": qos,
        "retain": retain,
    }
    with Api(side.data) as api:
        api.post("mqtt/publish", order)
