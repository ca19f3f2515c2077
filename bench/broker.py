"""The broker beside Mosquitto and amqtt: one JSON line, the same clients, policy and load for all, in turns.

"puback_p50_ms" is from PUBLISH to PUBACK, a message at a time, its subscriber being there, and "puback_away_p50_ms"
the same with a subscriber who is away; "pingpong_p50_ms" a QoS 1 question and its answer between two clients.
"q0_per_s" and so on are messages of 100 bytes a second from a publisher to a subscriber with a persistent session, 50
in flight. Before a PUBACK of doorward's a message is on disk, or its subscriber has acknowledged it. "rss_1000_mb" is
the memory of the process with 1,000 devices connected and subscribed, "rss_1000_tls_mb" the same over mutual TLS: of
doorward's broker in a small program, as a gateway has it inside; "rss_1000_run_mb" is that of `doorward broker run`
itself.
"lost_at_puback" counts, of "puback_kills" kills at the instant of a PUBACK, those after which an offline subscriber
never got something that had been acknowledged. "reconnect_2000_s" is from the first of 2,000 connections at once to
the last SUBACK, "reconnect_2000_refused" how many were turned away. Rates and latencies are the median of their rounds.

"load" is about the load itself, a process of its own: "cpu" is its part of a core beside each broker, "sink" what it
reaches with a peer that does no work. "broker_us_per_message" is the broker's own processor time for each message of a
rate, which a busy machine changes least.

Brokers that are not installed are null. Mosquitto is Debian's; amqtt is in the dependency group `peers`, and wants an
environment of its own: `python3 -m venv .venv-peers`, then `.venv-peers/bin/pip install --group peers` (pip 25.1).
"""

import resource
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from broker_certificates import certify
from broker_client import Broken
from broker_kills import lost_at_puback
from broker_orders import Load, crowd, order
from brokers import (
    Amqtt,
    Doorward,
    Forked,
    Mosquitto,
    Nursery,
    Served,
    Sink,
    Standalone,
    amqtt,
    mosquitto,
)
from reporting import arguments, say, show

from doorward_core import topics

SEED = 20261121
CONNECTED = 1000
SETTLED_S = 2.0  # until a broker has tidied up behind a crowd
RECONNECTED = 2000
OURS = "doorward"
BROKERS = (OURS, "mosquitto_memory", "mosquitto_autosave", "amqtt")
SINK = "sink"
SPEED = {
    "puback": ("puback_p50_ms", {"what": "puback"}),
    "away": ("puback_away_p50_ms", {"what": "away"}),
    "pingpong": ("pingpong_p50_ms", {"what": "echo"}),
    **{f"q{qos}": (f"q{qos}_per_s", {"what": "throughput", "qos": qos}) for qos in range(3)},
}
PARTS = (*SPEED, "rss", "reconnect", "kills")


@dataclass
class Bench:
    """What is to be measured, of whom, and what was found so far."""

    folder: Path
    only: tuple[str, ...] = PARTS
    brokers: tuple[str, ...] = BROKERS
    rounds: int = 3
    seconds: float = 1.5
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BROKERS, 12) | {OURS: 100})
    found: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    load: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    cost: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give everybody a name and a secret."""
        names = ("gateway", *(f"device-{number}" for number in range(RECONNECTED)))
        self.secrets = {name: secrets.token_hex(32) for name in names}
        self.certificates = self.folder / "certificates"

    def note(self, broker: str, figure: str, found: dict[str, float]) -> None:
        """Keep a figure, the load's part of a core, and the broker's processor time for each message."""
        for kept, key in ((self.found, "value"), (self.load, "cpu"), (self.cost, "broker_us")):
            if key in found:
                kept.setdefault(broker, {}).setdefault(figure, []).append(found[key])
        say(
            f"{broker}: {figure} "
            + ", ".join(f"{key} {found[key]:.3f}" for key in sorted(found) if key != "why")
        )

    def served(self, name: str, part: str, *, tls: bool = False) -> Served:
        """One of the brokers, not started, in a folder of its own."""
        common = (self.folder / part / name, self.secrets, topics.BASE)
        if name == OURS:
            return Doorward(*common, self.certificates if tls else None)
        if name == "amqtt":
            return Amqtt(*common)
        if name == SINK:
            return Sink(*common)
        return Mosquitto(*common, autosave=name == "mosquitto_autosave")


def speed(bench: Bench) -> None:
    """Latencies and rates, all brokers in turns."""
    tasks = [SPEED[part] for part in bench.only if part in SPEED]
    if not tasks:
        return
    with ExitStack() as stack:
        running = {name: bench.served(name, "speed") for name in (*bench.brokers, SINK)}
        for served in running.values():
            stack.callback(served.stop)
            served.start()
        for _ in range(bench.rounds):
            for figure, task in tasks:
                for name, served in running.items():
                    with surviving(name, figure):
                        found = Load(order(served, **task, seconds=bench.seconds)).result()
                        bench.note(name, figure, found)


def crowds(bench: Bench) -> None:
    """Memory with a thousand devices, and two thousand who come at once."""
    if not {"rss", "reconnect"} & set(bench.only):
        return
    certify(bench.certificates, bench.secrets)
    for name in bench.brokers:
        for tls in ("", "_tls") if name == OURS else ("",):
            served = bench.served(name, f"crowd{tls}", tls=bool(tls))
            served.start()
            served.stop()  # what a first start loads to make its database is of no interest
            served.start()
            try:
                with surviving(name, f"crowd{tls}"):
                    gather(bench, name, served, tls)
            finally:
                served.stop()
    if OURS in bench.brokers and "rss" in bench.only:
        with surviving(OURS, "rss of `broker run`"):
            served = standing_alone(bench)
            served.start()
            try:
                stay(bench, OURS, served, "_run")
            finally:
                served.stop()


def standing_alone(bench: Bench) -> Served:
    """`doorward broker run` as it comes up with its database, keys and user made before."""
    served = Standalone(bench.folder / "crowd_run" / OURS, bench.secrets["gateway"])
    served.start()
    try:
        served.add_user()
    finally:
        served.stop()
    return served


def gather(bench: Bench, name: str, served: Served, tls: str) -> None:
    """The crowds of one broker, plain or over TLS."""
    folder = str(bench.certificates) if tls else ""
    if "rss" in bench.only:
        stay(bench, name, served, tls, folder)
    if "reconnect" in bench.only:
        time.sleep(SETTLED_S)  # until the first thousand are gone
        found = Load(crowd(served, RECONNECTED, stay=False, tls=folder)).result()
        bench.note(name, f"reconnect_{RECONNECTED}{tls}_s", found)
        bench.note(name, f"reconnect_{RECONNECTED}{tls}_refused", {"value": refused(found)})


def stay(bench: Bench, name: str, served: Served, kind: str, folder: str = "") -> None:
    """The memory of a broker that serves, with nobody there and with a thousand."""
    bench.note(name, f"rss_idle{kind}_mb", {"value": served.rss_mb})
    load = Load(crowd(served, CONNECTED, stay=True, tls=folder))
    load.wait_until_there()
    time.sleep(SETTLED_S)
    bench.note(name, f"rss_{CONNECTED}{kind}_mb", {"value": served.rss_mb})
    refused(load.result())


def refused(found: dict[str, Any]) -> int:
    """How many of a crowd were turned away; says why."""
    if found["refused"]:
        say(f"refused: {found['refused']} ({found['why']})")
    return int(found["refused"])


def kills(bench: Bench) -> None:
    """Each broker killed at a PUBACK, again and again."""
    if "kills" not in bench.only:
        return
    with ExitStack() as stack:
        for name in bench.brokers:
            if name == OURS:
                nursery = Nursery()
                stack.callback(nursery.close)
                folder = bench.folder / "kills" / name
                served: Served = Forked(nursery, folder, bench.secrets, topics.BASE)
            else:
                served = bench.served(name, "kills")
            served.start()
            try:
                with surviving(name, "kills"):
                    task = order(served, "kill")
                    found = lost_at_puback(served, task, bench.kills[name], SEED)
                    bench.note(name, "lost_at_puback", found)
                    bench.note(name, "puback_kills", {"value": found["kills"]})
                    say(f"{name}: {found['messages_lost']} of {found['messages']} messages lost")
            finally:
                served.stop()


@contextmanager
def surviving(broker: str, figure: str) -> Iterator[None]:
    """A figure that cannot be had does not take the others with it."""
    try:
        yield
    except (Broken, OSError, TimeoutError, subprocess.TimeoutExpired) as error:
        say(f"{broker}: no {figure}: {error!r}")


def summary(bench: Bench) -> dict[str, Any]:
    """The result."""

    def medians(of: dict[str, list[float]], digits: int) -> dict[str, float]:
        return {figure: rounded(median(values), digits) for figure, values in of.items()}

    figures: dict[str, Any] = {
        name: medians(bench.found[name], 3) if bench.found.get(name) else None for name in BROKERS
    }
    figures["load"] = {
        "sink": medians(bench.found.get(SINK, {}), 3),
        "cpu": {name: medians(found, 2) for name, found in bench.load.items()},
    }
    figures["broker_us_per_message"] = {
        name: medians(found, 1) for name, found in bench.cost.items() if name != SINK
    }
    return figures


def rounded(value: float, digits: int) -> float:
    """As many digits as mean something."""
    return round(value) if value >= 1000 or value == int(value) else round(value, digits)


def main() -> None:
    """Measure, and print one line."""
    parser = arguments(__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, few kills")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--brokers", nargs="+", choices=BROKERS, default=BROKERS, metavar="BROKER")
    options = parser.parse_args()
    installed = {
        "mosquitto_memory": mosquitto(),
        "mosquitto_autosave": mosquitto(),
        "amqtt": amqtt(),
    }
    brokers = tuple(name for name in options.brokers if installed.get(name, OURS))
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.only, brokers)
        if options.quick:
            bench.rounds, bench.seconds, bench.kills = 1, 0.7, dict.fromkeys(BROKERS, 4)
        speed(bench)
        crowds(bench)
        kills(bench)
        figures = summary(bench)
    show(figures, options)


if __name__ == "__main__":
    main()
