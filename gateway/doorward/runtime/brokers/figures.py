"""What the embedded broker and the gateway count, as figures for whoever watches them."""

from collections.abc import Iterator

from doorward.adapters.mqtt import MqttLink
from doorward.app.figures import Distribution, Figure, by_label, counter, gauge
from doorward.broker import Broker
from doorward.broker.reports.counters import publishes
from doorward.runtime.usecases import UseCases

_B = "doorward_broker_"
_G = "doorward_"


def of_broker(broker: Broker) -> Iterator[Figure | Distribution]:
    """The embedded broker."""
    yield from _traffic(broker)
    yield from _state(broker)
    commits = broker.commits
    yield Distribution(
        _B + "commit_seconds", "How long a commit took.", commits.buckets(), commits.total
    )


def _traffic(broker: Broker) -> Iterator[Figure]:
    """What came and went since it was started."""
    counts, status = broker.counters, broker.status()
    yield by_label(
        _B + "messages_received_total",
        "PUBLISH packets from clients.",
        "qos",
        _by_qos(counts.received),
    )
    yield by_label(
        _B + "messages_sent_total", "PUBLISH packets to clients.", "qos", _by_qos(counts.sent)
    )
    yield counter(_B + "packets_received_total", "MQTT packets from clients.", sum(counts.received))
    yield counter(_B + "packets_sent_total", "MQTT packets to clients.", sum(counts.sent))
    yield counter(_B + "received_bytes_total", "Bytes from clients.", counts.bytes_received)
    yield counter(_B + "sent_bytes_total", "Bytes to clients.", counts.bytes_sent)
    yield counter(_B + "connects_total", "Clients that were let in.", counts.connects)
    yield counter(_B + "refused_total", "Clients that were not let in.", counts.refused)
    yield counter(
        _B + "logins_failed_total", "Wrong user names and passwords.", counts.logins_failed
    )
    yield counter(
        _B + "handshakes_failed_total",
        "Connections without a good TLS handshake.",
        status.handshakes_failed,
    )
    yield counter(_B + "denied_total", "Requests that a rule refused.", status.denied)
    yield counter(
        _B + "dropped_total", "Messages that did not fit into a client's queue.", status.dropped
    )
    yield counter(
        _B + "throttled_total", "Reads that had to wait for their client's rate.", status.throttled
    )


def _state(broker: Broker) -> Iterator[Figure]:
    """What it holds now."""
    status = broker.status()
    yield gauge(_B + "connections", "Open connections.", status.connections)
    yield gauge(_B + "sessions", "Sessions, of clients that are away too.", status.sessions)
    yield gauge(_B + "subscriptions", "Subscriptions of all sessions.", status.subscriptions)
    yield gauge(_B + "retained_messages", "Topics with a retained message.", status.retained)
    yield gauge(
        _B + "queued_messages", "Messages not acknowledged by a client yet.", status.unsettled
    )
    yield gauge(_B + "up_seconds", "Since the broker was started.", broker.up_s)


def of_gateway(cases: UseCases, link: MqttLink) -> Iterator[Figure | Distribution]:
    """The gateway: decisions, boards, and its own link."""
    counts = cases.access.counts
    decided = {"granted": float(counts["granted"]), "denied": float(counts["denied"])}
    yield by_label(_G + "decisions_total", "Taps that were decided here.", "verdict", decided)
    yield counter(
        _G + "unrecorded_total",
        "Decisions that could not be put on record.",
        counts["unrecorded"],
    )
    refused = cases.fleet.refused()
    yield counter(
        _G + "refused_messages_total",
        "Messages of boards that were not to be believed.",
        sum(refused.values()) + cases.fleet.strangers,
    )
    doors = cases.states.list()
    yield gauge(_G + "doors", "Doors.", len(doors))
    yield gauge(_G + "doors_online", "Doors whose board is online.", sum(d.online for d in doors))
    yield gauge(_G + "link_up", "Whether the gateway is connected to the broker.", link.connected)
    yield counter(
        _G + "link_lost_messages_total",
        "Messages that could not be sent while it was not.",
        link.lost,
    )


def _by_qos(counts: list[int]) -> dict[str, float]:
    return {str(qos): float(count) for qos, count in enumerate(publishes(counts))}
