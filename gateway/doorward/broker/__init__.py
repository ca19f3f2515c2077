"""The embedded MQTT broker: small, secure, and it keeps what it has acknowledged.

Delivered at once, acknowledged when it is safe: on disk, or with all who were to get it. It stands alone:
`doorward_core` for packets and topics, its own `store` for what must survive, nothing else of the gateway.
"""

from doorward.broker.identity.principals import Principal, Principals, Role
from doorward.broker.limits import Limits
from doorward.broker.listening.listeners import OverWebSocket, Secure
from doorward.broker.reports.events import Denial
from doorward.broker.rights.policy import Policy
from doorward.broker.server import Broker
from doorward.errors import PortInUse

__all__ = [
    "Broker",
    "Denial",
    "Limits",
    "OverWebSocket",
    "Policy",
    "PortInUse",
    "Principal",
    "Principals",
    "Role",
    "Secure",
]
