"""The local API of a broker that runs alone. It is loaded when it is first asked."""

import asyncio
import socket

from doorward.app.health import HealthMonitor
from doorward.app.mqtt_desk import MqttDesk
from doorward.app.services import BrokerServices
from doorward.runtime.embedded import EmbeddedSide
from doorward.runtime.owed_records import unrecorded
from doorward.runtime.servers import Server
from doorward.web import create_broker_app


async def serve(
    side: EmbeddedSide, desk: MqttDesk, health: HealthMonitor, sock: socket.socket
) -> None:
    """Answer on this socket until cancelled."""
    services = BrokerServices(mqtt=desk, health=health, broker=side.desk(unrecorded))
    server = Server(create_broker_app(services), sock)
    serving = asyncio.ensure_future(server.run_until_stopped())
    try:
        await asyncio.shield(serving)
    finally:
        server.stop()
        await serving
