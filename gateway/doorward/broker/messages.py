"""An application message, and what becomes of it for one client."""

from dataclasses import dataclass
from typing import NamedTuple

from doorward.broker.answers import Receipt


class Message(NamedTuple):
    """An application message on its way to subscribers."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False  # as the subscriber is to see it: True only for what was retained before it subscribed
    keep: bool = True  # False: worthless to a client that is away
    receipt: Receipt | None = None  # for the client that it is from


@dataclass(slots=True)
class Delivery:
    """A QoS 1 or 2 message for this client."""

    row: int  # 0: not kept on disk
    topic: str
    payload: bytes
    retain: bool
    qos: int
    packet_id: int = 0  # 0: never sent
    released: bool = False  # QoS 2: the client has it, and was told to forget the packet id
    receipt: Receipt | None = None  # waits for it, if it is kept
