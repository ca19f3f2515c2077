"""MQTT by strides: packets of one kind and length that follow each other are cut, checked and answered in one go."""

from collections.abc import Iterator

from broker_client import PAYLOAD, Broken, mqtt

RING = 4096  # different messages; far more than are ever in flight, so that an id is free when its turn comes again


def runs(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The whole packets as (type, length of each, all of them), a run a kind. What is left over comes with type 0."""
    at = 0
    while len(data) - at >= 2:
        head = data[at : at + 1]
        stride = data[at + 1] + 2
        if data[at + 1] & 128:
            if len(data) - at < 3:
                break
            stride = (data[at + 1] & 127 | data[at + 2] << 7) + 3
        if stride > 16383:
            raise Broken(f"a packet of {stride} bytes")
        most = (len(data) - at) // stride
        heads = data[at : at + most * stride : stride]
        count = len(heads) - len(heads.lstrip(head))
        if not count:
            break
        yield head[0] >> 4, stride, data[at : at + count * stride]
        at += count * stride
    yield 0, 0, data[at:]


def acks(kind: int, run: bytes, stride: int, id_at: int) -> bytearray:
    """An acknowledgement of this kind for every packet of a run, whose packet id stands at `id_at`."""
    made = bytearray(mqtt.ack(kind, 1) * (len(run) // stride))
    made[2::4] = run[id_at::stride]
    made[3::4] = run[id_at + 1 :: stride]
    return made


class Messages:
    """Every PUBLISH of a run, built beforehand, and what is known of them when they come back."""

    def __init__(self, topic: str, qos: int) -> None:
        """The payload is the message's number, filled up."""
        numbers = [number.to_bytes(2, "big") for number in range(RING)]
        packets = [
            mqtt.publish(topic, number.ljust(PAYLOAD, b"."), qos, packet_id=index + 1)
            for index, number in enumerate(numbers)
        ]
        self.stride = len(packets[0])
        self.id_at = self.stride - PAYLOAD - 2
        self._head = packets[0][:1]
        self._packets = memoryview(b"".join(packets) * 2)
        self._high, self._low = (b"".join(numbers)[byte::2] * 2 for byte in (0, 1))

    def some(self, first: int, count: int) -> memoryview:
        """`count` packets in one piece."""
        at = first % RING * self.stride
        return self._packets[at : at + count * self.stride]

    def check(self, run: bytes, stride: int, first: int) -> int:
        """How many these are. Raises Broken unless they are the messages from `first` on, in order and unaltered."""
        count, at, number_at = len(run) // stride, first % RING, stride - PAYLOAD
        if (
            stride != self.stride
            or run[::stride] != self._head * count
            or run[number_at::stride] != self._high[at : at + count]
            or run[number_at + 1 :: stride] != self._low[at : at + count]
        ):
            raise Broken(f"{count} messages from {first} on came in another order, or altered")
        return count
