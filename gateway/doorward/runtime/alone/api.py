"""The local API of a broker that runs alone. It is loaded when it is first asked."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

from doorward import __version__, logs
from doorward.app.health import HealthMonitor
from doorward.app.mqtt.desk import MqttDesk
from doorward.app.services import BrokerServices
from doorward.runtime import checks
from doorward.runtime.alone.parts import Parts
from doorward.runtime.alone.plan import Plan
from doorward.runtime.brokers.desk import BrokerDesk
from doorward.runtime.brokers.own_view import view_of
from doorward.runtime.servers.web import Server
from doorward.web import create_broker_app


async def serve(parts: Parts, plan: Plan, plain_port: int, sock: socket.socket) -> None:
    """Answer on this socket until cancelled."""
    logs.configure()
    server = Server(create_broker_app(_services(parts, plan, plain_port)), sock)
    serving = asyncio.ensure_future(server.run_until_stopped())
    try:
        await asyncio.shield(serving)
    finally:
        server.stop()
        await serving


def _services(parts: Parts, plan: Plan, plain_port: int) -> BrokerServices:
    broker, policy = parts.broker, parts.policy
    view = view_of(broker, policy, plan.host, plain_port, parts.api_secret)
    started = datetime.now(UTC) - timedelta(seconds=broker.up_s)
    looks = checks.alone(broker, plan.host, plan.files)
    return BrokerServices(
        mqtt=MqttDesk(plan.base, view, lambda _device: False),
        health=HealthMonitor(__version__, plan.files, started, looks),
        broker=BrokerDesk(broker, parts.store, parts.passwords, built_in=policy.built_in),
    )
