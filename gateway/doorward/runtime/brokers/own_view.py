"""What the API sees of a broker of our own."""

from doorward.adapters.mqtt_client import Login
from doorward.app.views.mqtt import Listeners
from doorward.broker import Broker, Policy
from doorward.config import EMBEDDED
from doorward.machine import LOOPBACK
from doorward.remote_broker import RemoteBroker
from doorward.runtime.brokers.figures import of_broker
from doorward.runtime.brokers.own_clients import API_NAME
from doorward.runtime.brokers.view import MqttView


def view_of(
    broker: Broker, policy: Policy, host: str, plain_port: int, api_secret: str
) -> MqttView:
    """Its figures, and the way to it for clients that speak for operators, with their secret."""
    return MqttView(
        EMBEDDED,
        Listeners(host, broker.secure_port, broker.websocket_port, plain_port),
        policy,
        RemoteBroker(LOOPBACK, plain_port),
        Login(API_NAME, api_secret),
        lambda: True,
        broker.numbers,
        [lambda: of_broker(broker)],
    )
