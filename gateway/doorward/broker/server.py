"""The broker as a whole: it listens, keeps time, and ties connections, router, journal and store together."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

from doorward import __version__
from doorward.broker import sys_topics
from doorward.broker.connections.admission import RandomSecrets
from doorward.broker.connections.exchange import Exchange
from doorward.broker.identity.certificates import NoCertificates
from doorward.broker.identity.ports import Certificates, Logins
from doorward.broker.identity.principals import Principal, Principals, Role
from doorward.broker.keeping.journal import Journal
from doorward.broker.limits import Limits
from doorward.broker.listening.listeners import Listeners, OverWebSocket, Secure
from doorward.broker.ports import Batch, Kept, Store
from doorward.broker.reports.counters import Counters, Timing
from doorward.broker.reports.events import Denial
from doorward.broker.reports.status import Status
from doorward.broker.reports.throttle import more_before
from doorward.broker.rights.acl import Acl
from doorward.broker.rights.policy import Policy
from doorward.broker.routing.live_principals import let_go
from doorward.broker.routing.live_rules import judge_anew
from doorward.broker.routing.router import Router

_log = logging.getLogger(__name__)

_SWEEP_S = 0.5
_LOG_KEPT_S = 5.0
_GOODBYE_S = 1.0  # for clients to take what was written to them before the broker stops


class Broker:
    """An MQTT 3.1.1 broker that acknowledges a message when it is safe: on disk, or with all who were to get it.

    Owns `store` from `start` on and closes it in `stop`. `on_denied` hears of what the policy refused, by default the
    log does; `clock` is monotonic seconds, given by tests that do not want to wait.
    """

    def __init__(
        self,
        store: Store,
        principals: Principals,
        policy: Policy,
        *,
        on_denied: Callable[[Denial], None] | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        certificates: Certificates | None = None,
        logins: Logins | None = None,
    ) -> None:
        """Wire the parts; nothing listens before `start`.

        `certificates` knows who has to show which one, `logins` who comes in by name and secret (by default the
        principals' own secrets say).
        """
        limits = limits or Limits()
        self._store = store
        self._principals = principals
        self._policy = policy
        self._journal = Journal(store, self._committed, limits.uncommitted_all, grace=limits.grace)
        self._router = Router(policy, self._journal, limits, on_denied or _log_denial, clock)
        self.log = self._router.log
        self.acl = Acl(principals, policy, self._journal)
        self.acl.changed.append(self._rules_changed)
        self._exchange = Exchange(
            principals,
            logins or RandomSecrets(principals),
            certificates or NoCertificates(),
            self._router,
            self._journal,
            limits,
            clock,
        )
        self._listeners = Listeners(self._exchange)
        self._sys = sys_topics.SysTopics(f"doorward version {__version__}", self._router.say)
        self._since = self._log_kept = clock()
        self._address = ("", 0)
        self.secure_port = 0  # of the TLS listener, once there is one
        self.websocket_port = 0  # of the one for WebSockets
        self._sweeping: asyncio.Task[None] | None = None
        principals.changed = self._principal_changed
        principals.welcome.changed = lambda name, place, known: self._journal.welcome(
            name, place, known=known
        )

    async def start(
        self,
        host: str,
        port: int,
        secure: Secure | None = None,
        websocket: OverWebSocket | None = None,
    ) -> int:
        """Bring back what was kept, listen, and return the port (0 asks for any).

        That listener speaks plain MQTT and belongs on loopback; `secure` is the one for clients with certificates.
        Raises PortInUse when another program listens there.
        """
        try:
            kept = self._store.load()
            ports = await self._listeners.open(host, port, secure, websocket)
        except BaseException:
            await self._store.close()
            raise
        actual, self.secure_port, self.websocket_port = ports
        self._address = host, actual
        self._restore(kept)
        await self._listeners.start_serving()
        sweeping = self._keep_time()
        self._sweeping = asyncio.get_running_loop().create_task(sweeping, name="broker-sweep")
        return actual

    async def stop(self) -> None:
        """Commit and acknowledge what was taken, close every connection without its will, close the store."""
        sweeping, self._sweeping = self._sweeping, None
        if sweeping is None:
            return
        self._listeners.close()
        await self._exchange.end_logins()
        sweeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeping
        await self._journal.drain()
        for connection in tuple(self._exchange.connections):
            connection.end("the broker stops", will=False)
        await self._exchange.end_logins()
        await self._wait_for_goodbyes()
        self._keep_log(now=True)
        await self._journal.drain()
        await self._store.close()

    async def answer(self) -> None:
        """Return after a commit, and when a connection of our own was taken and its end noticed. Raises what failed."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: Exception | None) -> None:
            if committed.done():
                return  # nobody waits any more
            if error is None:
                committed.set_result(None)
            else:
                committed.set_exception(error)

        self._store.write(Batch(), done)
        await committed
        reader, writer = await asyncio.open_connection(*self._address)
        try:
            writer.write_eof()
            await reader.read()
        finally:
            writer.close()

    async def expel(self, name: str) -> None:
        """Shut a device out for good, at once: secret, connection, session, queue and its retained messages.

        Nothing of it is left in memory when this is called, nothing on disk when it returns. Raises what the store
        says against it; then the disk is told again until it takes it.
        """
        self._principals.remove(name)
        self._router.clear_retained(name)
        await self.settle()

    async def settle(self) -> None:
        """Return when every change so far (principals too) is on disk. Raises what the store says against it."""
        self._exchange.flush()
        error = await self._journal.drain()
        if error is not None:
            raise error

    def sweep(self) -> None:
        """Close the connections that have been silent for too long, and try again what the disk refused."""
        now = self._exchange.clock()
        for connection in tuple(self._exchange.connections):
            connection.check(now)
        self._keep_log()
        self._sys.look(now, lambda: sys_topics.read(self._exchange, now - self._since))
        self._journal.retry()
        self._journal.tidy()
        self._exchange.flush()

    def connected(self) -> Counter[str]:
        """How many connections each principal has."""
        sessions = self._router.sessions.values()
        return Counter(one.principal.name for one in sessions if one.link is not None)

    @property
    def counters(self) -> Counters:
        """What was counted since the start."""
        return self._exchange.counters

    @property
    def stuck(self) -> bool:
        """True while the disk refuses."""
        return self._journal.stuck

    @property
    def commits(self) -> Timing:
        """How long commits took."""
        return self._journal.commits

    @property
    def up_s(self) -> float:
        """Seconds since it was made."""
        return self._exchange.clock() - self._since

    def status(self) -> Status:
        """What it holds, and what went wrong."""
        router = self._router
        sessions = router.sessions.values()
        return Status(
            connections=len(self._exchange.connections),
            sessions=len(sessions),
            subscriptions=sum(len(session.subscriptions) for session in sessions),
            retained=len(router.retained),
            unsettled=sum(session.unsettled for session in sessions),
            dropped=router.dropped,
            denied=router.denials.count,
            throttled=self._exchange.rates.held,
            handshakes_failed=self._listeners.failed,
            left_out=self._store.left_out,
            lost=self._store.lost,
        )

    def numbers(self) -> dict[str, int]:
        """The same by name."""
        return asdict(self.status())

    def _restore(self, kept: Kept) -> None:
        for name, (role, digest) in kept.principals.items():
            self._principals.restore(Principal(name, Role(role)), digest)
        self.acl.restore(kept)
        self._principals.welcome.restore(kept.welcome)
        self.log.restore(kept.log)
        self._router.restore(kept, self._principals)
        judge_anew(self._router, self._policy, self._principals)
        self._store.start()
        self._journal.start(max((message.row for message in kept.messages), default=0))
        self._journal.flush()

    async def _keep_time(self) -> None:
        while True:
            due = self._exchange.clock() + _SWEEP_S
            await asyncio.sleep(_SWEEP_S)
            if self._exchange.clock() > due + _SWEEP_S:
                # This process was held. What was sent meanwhile is read before anybody is called silent.
                await asyncio.sleep(_SWEEP_S)
            try:
                self.sweep()
            except Exception:  # noqa: BLE001 - whatever it was, keep-alive and the journal's retry go on
                _log.exception("the sweep failed; it is tried again in %s s", _SWEEP_S)

    async def _wait_for_goodbyes(self) -> None:
        until = time.monotonic() + _GOODBYE_S
        while self._exchange.connections:
            if time.monotonic() > until:
                for connection in tuple(self._exchange.connections):
                    connection.check(self._exchange.clock())
            await asyncio.sleep(0.005)

    def _committed(self) -> None:
        self._exchange.flush()

    def _rules_changed(self) -> None:
        judge_anew(self._router, self._policy, self._principals)
        self._exchange.flush()

    def _keep_log(self, *, now: bool = False) -> None:
        """The log is on disk some seconds later: a write of its own for every line would wear out a card."""
        self.log.turn()
        if self._journal.stuck:
            return  # the log bounds what it holds, a batch does not
        if now or self._exchange.clock() - self._log_kept >= _LOG_KEPT_S:
            self._log_kept = self._exchange.clock()
            self._journal.log(self.log.take())

    def _principal_changed(self, principal: Principal, digest: bytes | None, *, keep: bool) -> None:
        let_go(self._router, principal, gone=digest is None)
        if keep:
            kept = None if digest is None else (principal.role.value, digest)
            self._journal.principal(principal.name, kept)
        self._exchange.flush()


def _log_denial(denial: Denial) -> None:
    _log.warning(
        "%s may not %s %r (%s)%s",
        denial.principal,
        denial.action,
        denial.topic,
        denial.rule,
        more_before(denial.unsaid),
    )
