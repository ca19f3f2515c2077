"""What a client is told, in the order of its requests (4.6): at once, or when what it confirms is safe."""

from collections.abc import Sequence
from typing import Protocol


class Receipt:
    """What one read brought from a client, until it is safe; then its answers go out together.

    Safe is what is on disk. A message is also safe when every client it was kept for has acknowledged it: the broker
    owes it to nobody any more (4.3.2, 4.3.3), and one that is killed now starts again without anybody missing it. So a
    message for who is away, or slow, waits for the commit, and so does all else that has to outlive a kill: what is
    retained, subscriptions, packet ids of QoS 2.
    """

    __slots__ = ("_answers", "owed", "packets")

    def __init__(self, answers: "Answers") -> None:
        """Nothing has to become safe yet."""
        self._answers = answers
        self.owed = 0  # messages that their clients have not acknowledged, and what only the commit makes safe
        self.packets: list[bytes] = []

    @property
    def gone(self) -> bool:
        """True when nobody waits for it any more."""
        return self.owed <= 0 or self._answers.gone

    def until_committed(self) -> None:
        """Have it wait for the disk, whatever clients acknowledge."""
        self.owed += 1

    def settle(self) -> None:
        """A client has acknowledged a message that was kept for it."""
        self.owed -= 1
        if not self.owed:
            self._answers.release()

    def committed(self) -> None:
        """All of it is on disk."""
        if self.owed > 0:
            self.owed = 0
            self._answers.release()


class Confirming(Protocol):
    """The journal, to who waits for it."""

    answers: int

    @property
    def crowded(self) -> bool:
        """True while so much waits that clients may not add to it."""

    def confirm(self, to: Receipt) -> None:
        """Tell `to` when everything noted so far, and until the next flush, is on disk."""


class Asker(Protocol):
    """The connection that asked, and is to be told."""

    @property
    def gone(self) -> bool:
        """True when nobody waits for an answer any more."""

    def send(self, packet: bytes) -> None:
        """Write one whole packet, soon."""

    def send_all(self, packets: Sequence[bytes]) -> None:
        """Write whole packets, soon."""

    def wait(self) -> None:
        """Ask for nothing more: too many answers wait."""

    def go_on(self) -> None:
        """Most of those that waited were sent."""


class Answers:
    """The answers to one client."""

    __slots__ = ("_asker", "_journal", "_most", "_waiting", "count", "receipt")

    def __init__(self, journal: Confirming, asker: Asker, most: int) -> None:
        """Nothing waits yet. The asker is to ask for nothing more while `most` answers wait."""
        self._journal = journal
        self._asker: Asker | None = asker
        self._most = most
        self.receipt = Receipt(self)  # that of the read that is being handled
        self._waiting: list[Receipt] = []
        self.count = 0  # answers that wait

    @property
    def gone(self) -> bool:
        """True when nobody waits for them any more."""
        return self._asker is None or self._asker.gone

    def add(self, packet: bytes) -> None:
        """Answer a request: now, or when its own cause and those before it are safe."""
        current, asker = self.receipt, self._asker
        if asker is None:
            return
        if current.owed:
            if not current.packets:
                self._waiting.append(current)
                self._journal.confirm(current)
            current.packets.append(packet)
        elif self._waiting:
            self._waiting[-1].packets.append(packet)
        else:
            asker.send(packet)
            return
        self.count += 1
        self._journal.answers += 1

    def end(self) -> None:
        """Nobody waits for them any more."""
        self._journal.answers -= self.count
        self.count = 0
        self._waiting.clear()
        # Messages know their receipts for as long as they wait for who is away. They must not keep a connection.
        self._asker = None

    def close(self) -> None:
        """The read is handled. What the next one brings has a receipt of its own, if this one's is not safe yet."""
        if self.receipt.owed:
            self.receipt = Receipt(self)
        asker = self._asker
        if asker is not None and self.count and (self.count >= self._most or self._journal.crowded):
            asker.wait()

    def release(self) -> None:
        """Send what is safe, as far as nothing before it still waits."""
        waiting, sent, asker = self._waiting, 0, self._asker
        if asker is None:
            return
        while waiting and waiting[0].owed <= 0:
            receipt = waiting.pop(0)
            packets, receipt.packets = receipt.packets, []
            asker.send_all(packets)
            sent += len(packets)
        if sent:
            self.count -= sent
            self._journal.answers -= sent
            if self.count * 2 < self._most:
                asker.go_on()
