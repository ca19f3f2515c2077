"""Many people at once: each publishes, waits for its own message, comes and goes. What does not come is a failure.

locust -f gateway/tests/stress/locustfile.py --headless -u 200 -t 60s

starts a broker of its own. For another one name it with --host mqtt://HOST:PORT or mqtts://HOST:PORT, and in the
environment a user who may do everything under school/stress/: DOORWARD_STRESS_USER, DOORWARD_STRESS_PASSWORD, and for
mqtts the certificate of its authority in SSL_CERT_FILE. Without --headless locust shows its page on port 8089.
"""

import itertools
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from locust import User, between, events, task

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from broker_support import secret  # noqa: E402 - found by the line above
from client import Client  # type: ignore[import-not-found]  # noqa: E402

_BRANCH = "school/stress"
_numbers = itertools.count()


@events.init_command_line_parser.add_listener
def _all_within_seconds(parser) -> None:
    # Locust's own default is one user a second: most of a minute would pass before all are there.
    parser.set_defaults(spawn_rate=25)


@events.init.add_listener
def _start_a_broker(environment, **_given) -> None:
    if environment.host:
        return
    process = subprocess.Popen(
        [sys.executable, HERE / "broker.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )
    assert process.stdout is not None
    environment.host = f"mqtt://127.0.0.1:{process.stdout.readline().strip()}"
    environment.events.quitting.add_listener(lambda **_given: process.communicate())


@events.quitting.add_listener
def _nothing_done_is_a_failure(environment, **_given) -> None:
    if not environment.stats.total.num_requests:
        environment.process_exit_code = 1


class Person(User):
    """Somebody with an app: one connection, one branch of topics."""

    wait_time = between(0.05, 0.25)
    _client: Client | None = None  # until it was let in

    def on_start(self) -> None:
        """Come in with a session that is kept."""
        self._id = f"stress-{os.getpid()}-{next(_numbers)}"
        self._topic = f"{_BRANCH}/{self._id}"
        self._sent = 0
        self._client = self._come()

    def on_stop(self) -> None:
        """Leave nothing behind."""
        if self._client is None:
            return
        self._client.close()
        with self._timed("CONNECT", "clean, to be forgotten"):
            self._connected(clean=True)[0].close()

    @task(6)
    def hear_oneself(self) -> None:
        """Publish at each QoS, and wait until it comes back."""
        for qos in (0, 1, 2):
            with self._timed(f"QoS {qos}", "publish, acknowledged and delivered"):
                self._client.publish(self._topic, self._payload(), qos)
                self._client.message(self._topic, self._payload(new=False))

    @task(2)
    def find_the_state(self) -> None:
        """Retain a state, subscribe to it again, and find it."""
        where = f"{self._topic}/state"
        with self._timed("retained", "publish, subscribe and receive"):
            self._client.publish(where, self._payload(), 1, retain=True)
            self._client.subscribe(where, 1)
            self._client.message(where, self._payload(new=False))

    @task(1)
    def come_back(self) -> None:
        """Lose the link, come back to the same session, and get what was published meanwhile."""
        self._client.close()
        with self._timed("session", "come back and get what waited"):
            other, _ = self._connected(clean=True, suffix="-other")
            other.publish(self._topic, self._payload(), 1)
            other.close()
            self._client, present = self._connected(clean=False)
            assert present, "the session is gone"
            self._client.message(self._topic, self._payload(new=False))

    def _come(self) -> Client:
        with self._timed("CONNECT", "and subscribe"):
            client, _ = self._connected(clean=False)
            client.subscribe(self._topic, 2)
            return client

    def _connected(self, *, clean: bool, suffix: str = "") -> tuple[Client, bool]:
        url = urlsplit(self.environment.host or "")
        tls = ssl.create_default_context() if url.scheme == "mqtts" else None
        client = Client(url.hostname or "localhost", url.port or 1883, tls)
        user = os.environ.get("DOORWARD_STRESS_USER", "stress")
        password = os.environ.get("DOORWARD_STRESS_PASSWORD", secret("stress"))
        return client, client.connect(self._id + suffix, user, password, clean=clean)

    def _payload(self, *, new: bool = True) -> bytes:
        self._sent += new
        return b"%d" % self._sent

    @contextmanager
    def _timed(self, kind: str, name: str) -> Iterator[None]:
        """Tell locust how long it took, in ms, and what went wrong."""
        began = time.perf_counter()
        error: Exception | None = None
        try:
            yield
        except Exception as caught:  # noqa: BLE001 - whatever it was, locust counts it
            error = caught
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=error,
            context={},
        )
        if error is not None:
            raise error
