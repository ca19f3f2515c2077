"""A gateway that uses Mosquitto: its link, who is let in there, and a look from time to time whether all is so."""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

import structlog

from doorward.adapters.mosquitto import accounts
from doorward.adapters.mosquitto.admission import MosquittoAdmission
from doorward.adapters.mosquitto.configuration import Listeners
from doorward.adapters.mosquitto.grants import Grant
from doorward.adapters.mosquitto.keeper import Keeper
from doorward.adapters.mosquitto.process import Process
from doorward.adapters.mqtt import MqttLink
from doorward.adapters.mqtt_client import Login
from doorward.adapters.passwords import Argon2Passwords
from doorward.app.health import Look
from doorward.app.views.broker import BrokerSynced
from doorward.app.views.health import HealthCheck
from doorward.app.views.mqtt import Listeners as MqttListeners
from doorward.broker import Policy, Principal, Principals, Role
from doorward.broker.rights.kept_rules import KeptRules
from doorward.broker.store import BrokerStore
from doorward.config import LOOPBACK, MOSQUITTO, Settings
from doorward.domain import devices
from doorward.domain.devices import Registration
from doorward.errors import DoorwardError, StartupError, Unavailable
from doorward.remote_broker import RemoteBroker
from doorward.runtime.brokers.admission import NamedAdmission, admit_all
from doorward.runtime.brokers.desk import BrokerDesk
from doorward.runtime.brokers.owed_records import Record
from doorward.runtime.brokers.own_clients import API_NAME, GATEWAY_NAME
from doorward.runtime.brokers.user_certificates import NoMoreCertificates, SignedCertificates
from doorward.runtime.brokers.view import MqttView
from doorward.runtime.mosquitto import setup as mosquitto
from doorward.runtime.mosquitto.figures import MosquittoFigures
from doorward.runtime.mosquitto.users import MosquittoUsers
from doorward.runtime.usecases import Keys

_log = structlog.get_logger(__name__)

_PATIENCE_S = 10.0  # two services that are started together
_TRY_S = 0.25
_LOOK_S = 60.0
_AWAY_S = 2.0


class MosquittoSide:
    """Mosquitto as the broker of a gateway; use `join`."""

    def __init__(
        self,
        settings: Settings,
        listeners: Listeners,
        policy: Policy,
        keys: Keys,
        secret: str,
        store: BrokerStore,
        passwords: Argon2Passwords,
    ) -> None:
        """`secret`: of the account that says who may do what; `store`: of users and rules, `rules` owns it."""
        self._settings = settings
        self._listeners = listeners
        self._policy = policy
        self._keys = keys
        self._places = mosquitto.places_of(settings)
        self._process = Process(self._places, listeners)
        self._keeper = self._new_keeper(secret)
        self._password = secrets.token_hex(32)  # of this run: nothing of it is on our disk
        self._api_password = secrets.token_hex(32)
        self._shown = settings.server_certificate.read_bytes()
        self._due = asyncio.Event()
        self._last: tuple[datetime, BrokerSynced] | None = None
        self._problem: DoorwardError | None = None
        self.boards_port = listeners.secure
        self.plain_port = listeners.plain
        self._store = store
        self._passwords = passwords
        self._principals = principals = Principals()
        self.rules = KeptRules(store, principals, policy)
        self._users = MosquittoUsers(self.rules.acl, principals, policy, self._keeper, self.linked)
        boards = MosquittoAdmission(self._keeper, self._grant)
        self.admission = NamedAdmission(self.rules.acl, principals, boards)
        self.link = MqttLink(
            LOOPBACK, listeners.plain, GATEWAY_NAME, self._password, settings.base, keeps_all=True
        )
        self.view = self._new_view()
        self._figures = MosquittoFigures(self.view.converse)
        self.view.reads.append(self._figures.read)

    def _new_keeper(self, secret: str) -> Keeper:
        return Keeper(
            self._places,
            self._process,
            self._listeners.plain,
            secret,
            lambda: (self._keys.certificate(), self._keys.crl()),
            self._policy.places_of,
        )

    def _new_view(self) -> MqttView:
        known = self._listeners
        return MqttView(
            MOSQUITTO,
            MqttListeners(self._settings.mqtt.host, known.secure, known.websocket, known.plain),
            self._policy,
            RemoteBroker(LOOPBACK, known.plain),
            Login(API_NAME, self._api_password),
            lambda: self.link.connected,
            lambda: self._figures.numbers(),  # noqa: PLW0108 - they are made of this view
        )

    @classmethod
    async def join(
        cls,
        settings: Settings,
        key: bytes,
        policy: Policy,
        keys: Keys,
        known: Iterable[Registration],
        stack: AsyncExitStack,
    ) -> Self:
        """Find the Mosquitto of these settings, and let in the users, and those of the registry that may come.

        Raises StartupError for one that was not set up, or with other ports, or that does not answer in 10 s.
        """
        places = mosquitto.places_of(settings)
        listeners = mosquitto.listeners(places)
        mosquitto.check_listeners(settings, listeners)
        secret = accounts.load(places.secret)
        passwords = Argon2Passwords()
        stack.callback(passwords.close)
        store = BrokerStore.open(settings.directory / "broker.db", key)
        side = cls(settings, listeners, policy, keys, secret, store, passwords)
        stack.push_async_callback(side.rules.stop)
        side._expect(tuple(known))
        await side._begin()
        return side

    def _expect(self, known: Sequence[Registration]) -> None:
        """Whoever may come, from the next look at all accounts on."""
        digests = self._keys.digests()
        for device in known:
            if device.state != devices.REVOKED and device.id in digests:
                self._keeper.want(self._grant(device.id, device.state != devices.APPROVED))
        self._principals.add(GATEWAY_NAME, self._password, Role.GATEWAY, keep=False)
        self._principals.add(API_NAME, self._api_password, Role.API, keep=False)
        admit_all(self._principals, known, digests)
        self.rules.start()
        self._users.want()

    async def answer(self) -> None:
        if not self.link.connected:
            raise Unavailable("Mosquitto does not answer", _hint(self._settings))

    async def keep(self) -> None:
        """Look after its accounts, and hear what it says of itself."""
        listening = asyncio.create_task(self._figures.keep(), name="mosquitto-figures")
        try:
            await self._keep_accounts()
        finally:
            listening.cancel()

    async def _keep_accounts(self) -> None:
        """After every new connection, and once a minute: accounts, revocation list and server certificate.

        While there is no connection more often: our own account may be what is missing.
        """
        looked = asyncio.get_running_loop().time()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), _AWAY_S)
            now = asyncio.get_running_loop().time()
            if not self.link.connected:
                await self._try(self._enter)
            elif self._due.is_set() or now - looked >= _LOOK_S:
                looked = now
                self._due.clear()
                await self._try(self._look)

    async def _try(self, step: Callable[[], object]) -> None:
        try:
            await asyncio.to_thread(step)
            self._problem = None
        except DoorwardError as error:
            if self._problem is None:
                _log.warning("mosquitto.not_synced", error=str(error))
            self._problem = error

    def linked(self) -> None:
        """Whatever happened to its accounts while we were apart, it is looked at now."""
        self._due.set()

    async def sync(self) -> BrokerSynced:
        """Look at all accounts now. Raises Unavailable."""
        return await asyncio.to_thread(self._look)

    def desk(self, record: Record) -> BrokerDesk:
        """The users and rules of broker.db; those that others made on Mosquitto are not among them."""
        return BrokerDesk(
            self.rules,
            self._store,
            self._passwords,
            built_in=self._policy.built_in,
            record=record,
            elsewhere=self._users,
            certificates=NoMoreCertificates(SignedCertificates(self._keys)),
        )

    def looks(self) -> Sequence[Look]:
        return (self._look_at_link, self._look_at_accounts, self._look_at_trust)

    def _grant(self, device: str, waiting: bool) -> Grant:
        return self._granted(Principal(device, Role.WAITING if waiting else Role.DEVICE))

    def _granted(self, principal: Principal, password: str | None = None) -> Grant:
        return Grant(principal.name, *self._policy.rights(principal), password=password)

    async def _begin(self) -> None:
        gateway = Principal(GATEWAY_NAME, Role.GATEWAY)
        self._keeper.want(self._granted(gateway, self._password))
        api = self._granted(Principal(API_NAME, Role.API), self._api_password)
        self._keeper.want(replace(api, several=True))
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while True:
            try:
                await asyncio.to_thread(self._enter)
                return
            except Unavailable as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise StartupError(error.problem, error.remedy) from error
            await asyncio.sleep(_TRY_S)

    def _enter(self) -> None:
        """Everything that has to be so before boards and we are there. Blocking."""
        self._look()
        self._keeper.set_password(GATEWAY_NAME, self._password)
        self._keeper.set_password(API_NAME, self._api_password)

    def _look(self) -> BrokerSynced:
        synced = self._keeper.sync()
        self._last = datetime.now(UTC), synced
        if synced.changed:
            _log.info("mosquitto.synced", changed=len(synced.changed), wanted=synced.wanted)
        shown = self._settings.server_certificate.read_bytes()
        if shown != self._shown and self._process.tell(signal.SIGHUP):
            self._shown = shown
            _log.info("mosquitto.certificate_read_again")
        return synced

    def _look_at_link(self) -> HealthCheck:
        pid = self._process.pid()
        where = f"process {pid}" if pid else "not a process of ours"
        if not self.link.connected:
            return HealthCheck(
                "broker", False, f"no connection to Mosquitto ({where})", _hint(self._settings)
            )
        return HealthCheck("broker", True, f"Mosquitto, {where}")

    def _look_at_accounts(self) -> HealthCheck:
        if self._problem is not None or self._last is None:
            problem = self._problem or Unavailable("nobody has looked yet", "wait a moment")
            return HealthCheck("accounts", False, problem.problem, problem.remedy)
        at, synced = self._last
        age = int((datetime.now(UTC) - at).total_seconds())
        detail = f"{synced.wanted} at Mosquitto, as they should be {age} s ago"
        if waiting := len(self._keeper.unproven):
            detail += f"; {waiting} users need a password, see `doorward broker users list`"
        return HealthCheck("accounts", True, detail)

    def _look_at_trust(self) -> HealthCheck:
        place = f"boards come to {self._settings.mqtt.host}:{self.boards_port} over mutual TLS"
        try:
            current = self._places.revoked.read_bytes() == self._keys.crl()
        except (OSError, DoorwardError):
            current = False
        if not current:
            return HealthCheck(
                "tls",
                False,
                f"{place}, with an old revocation list",
                "run `doorward broker mosquitto sync`",
            )
        return HealthCheck("tls", True, place)


def _hint(settings: Settings) -> str:
    return f"look at `doorward broker mosquitto status --data {settings.directory}`"
