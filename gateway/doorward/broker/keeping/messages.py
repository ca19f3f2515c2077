"""An application message, and what becomes of it for one client."""

from dataclasses import dataclass, replace

from doorward.broker.keeping.answers import Receipt
from doorward.broker.ports import KeptMessage


@dataclass(slots=True)
class Message:
    """An application message on its way to subscribers, who share it: nothing in it changes."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False  # as the subscriber is to see it: True only for what was retained before it subscribed
    keep: bool = True  # False: worthless to a client that is away
    receipt: Receipt | None = None  # for the client that it is from


@dataclass(slots=True)
class Delivery:
    """A QoS 1 or 2 message for this client."""

    message: Message
    qos: int
    packet_id: int = 0  # 0: never sent
    row: int = 0  # 0: not kept on disk
    released: bool = False  # QoS 2: the client has it, and was told to forget the packet id
    place: int = 0  # the row that it gets when it is sent, if it is kept then alone: rows are the order of delivery

    @classmethod
    def restored(cls, kept: KeptMessage) -> "Delivery":
        """As the store kept it."""
        message = Message(kept.topic, kept.payload, kept.qos, kept.retain)
        return cls(message, kept.qos, kept.packet_id or 0, kept.row, kept.released)

    def kept(self, client: str) -> KeptMessage:
        """As the store is to keep it."""
        message = self.message
        return KeptMessage(
            self.row,
            client,
            message.topic,
            message.payload,
            message.retain,
            self.packet_id or None,
            self.qos,
            self.released,
        )

    def release(self) -> None:
        """The client has it: all that is left of it is its packet id."""
        self.released = True
        self.message = replace(self.message, payload=b"")
