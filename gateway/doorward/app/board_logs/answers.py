"""What a board hears of its log: how far we hold it, with which digest, and whether it is over."""

from contextlib import suppress

from doorward.app.board_logs.heads import Heads
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.records import LogHead
from doorward.errors import Unavailable
from doorward_core import gateway_messages, seal, topics


class Answers:
    """Says `telemetry/ack`. heads: what is said."""

    def __init__(self, fleet: Fleet, heads: Heads) -> None:
        self._fleet = fleet
        self.heads = heads

    def acknowledge(self, device: Device, held: LogHead) -> None:
        """All up to there is on record. Raises Unavailable."""
        over = self.heads.is_over(device.id, held.epoch)
        said = gateway_messages.events_ack(held.epoch, held.seq, held.digest, over)
        self._fleet.tell(device, topics.EVENTS_ACK, said)

    def tell_held(self, device: Device, epoch: str) -> None:
        """Say what is on record of this log, and its digest there: a board's flash may say otherwise."""
        held = self.heads.held(device.id, epoch) or LogHead(epoch, 0, seal.CHAIN_START)
        with suppress(
            Unavailable
        ):  # it asks again with its next hello, and does without after a while
            self.acknowledge(device, held)
