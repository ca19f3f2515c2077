"""What of a broker that runs alone can be administered."""

from dataclasses import dataclass, field

from doorward.broker import Broker, Policy
from doorward.broker.identity.ports import Passwords
from doorward.broker.ports import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """Its parts, and the secret of the clients that speak for operators."""

    broker: Broker
    store: Store
    policy: Policy
    passwords: Passwords
    api_secret: str = field(repr=False)
