"""The gateway as a process: broker, link, use cases, store and web servers, started in order and ended in the other."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import structlog

from doorward import __version__, memory
from doorward.adapters.clock import SystemClock
from doorward.adapters.passwords import Argon2Passwords
from doorward.adapters.store import SqlStore
from doorward.adapters.wirings import Wirings
from doorward.app.access.cache import CacheKeeper
from doorward.app.audit.history import AuditHistory
from doorward.app.audit.trail import AuditTrail
from doorward.app.devices.files import BrokerAddress
from doorward.app.health import HealthMonitor
from doorward.app.mqtt.desk import MqttDesk
from doorward.app.operators.sign_in import OneTimeTokens
from doorward.app.ports import Spawn
from doorward.app.services import Services
from doorward.app.services.site import Site
from doorward.app.views.audit import entry
from doorward.broker import Policy
from doorward.config import ANY, MOSQUITTO, Settings
from doorward.data import data_root
from doorward.database import load_or_create
from doorward.runtime import checks
from doorward.runtime.adoption import Adoptions
from doorward.runtime.backup import restored
from doorward.runtime.brokers import embedded
from doorward.runtime.brokers.figures import of_gateway
from doorward.runtime.brokers.foreign import ForeignSide
from doorward.runtime.brokers.side import BrokerSide
from doorward.runtime.firmware import ShippedFirmware
from doorward.runtime.keys import open_keys
from doorward.runtime.mosquitto.side import MosquittoSide
from doorward.runtime.operators import OperatorCases, wire_operators
from doorward.runtime.process import interpreter, lock
from doorward.runtime.process.serving import Serving
from doorward.runtime.servers import web as servers
from doorward.runtime.servers.server_tls import ServerTls
from doorward.runtime.servers.web import Server
from doorward.runtime.usecases import UseCases
from doorward.runtime.wiring import wire
from doorward.web import create_app

_log = structlog.get_logger(__name__)

_CACHE_S = 3600.0


class Gateway(Serving):
    """One site's gateway. `start` returns when doors are served."""

    _name = "gateway"
    _unserved = "the gateway was stopped before its doors were served"

    def __init__(self, settings: Settings, *, tokens: OneTimeTokens | None = None) -> None:
        """`tokens`: the one-time tokens of this run; by default a setup token for the first operator."""
        super().__init__()
        self.settings = settings
        self.tokens = tokens or OneTimeTokens(setup=secrets.token_urlsafe(16))
        self.web_port = 0
        self.boards_host = settings.mqtt.host
        self.mqtt_port = 0  # for boards, over TLS
        self.plain_port = 0  # for this machine alone
        self.needs_setup = False
        self.shipped = ShippedFirmware(data_root())

    @property
    def url(self) -> str:
        """The page, as somebody can type it."""
        web = self.settings.web
        host = self.settings.names[0] if web.host in {ANY, "::"} else web.host
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if web.https else 'http'}://{shown}:{self.web_port}"

    async def answer(self) -> None:
        """Return when everything that a door needs has answered: the loop, both databases, the broker's listener."""
        await self.store.answer()
        await self.side.answer()

    async def _run(self, ready: asyncio.Future[None]) -> None:
        interpreter.share_quickly()
        memory.share_one_heap()
        async with AsyncExitStack() as stack:
            stack.enter_context(lock.hold(self.settings.directory))
            await self._open(stack)
            await self._start_broker(stack)
            await self._serve(stack, ready)

    async def _open(self, stack: AsyncExitStack) -> None:
        """Keys and databases: everything that can be wrong with an installation shows here."""
        settings = self.settings
        database = settings.directory / "gateway.db"
        self.key = load_or_create(settings.database_key, database)
        self.signer = await open_keys(settings, stack)
        self.tls = ServerTls(settings, self.signer)
        self.store = SqlStore(database, self.key, self.signer)
        stack.push_async_callback(self.store.close)
        self.restored = restored.read(settings.directory)
        self.store.start(self.restored.news if self.restored else None)

    async def _start_broker(self, stack: AsyncExitStack) -> None:
        """Our own broker, or a way to the one that is used instead."""
        settings = self.settings
        known = self.store.registrations()
        policy = Policy(settings.base)
        foreign = await ForeignSide.find(settings, policy)
        if foreign is not None:
            self.side: BrokerSide = foreign
            self.boards_host = foreign.boards_host
        elif settings.broker == MOSQUITTO:
            self.side = await MosquittoSide.join(
                settings, self.key, policy, self.signer, known, stack
            )
        else:
            side = await embedded.start(settings, self.key, self.signer, known, self.tls, stack)
            self.broker, self.principals = side.broker, side.principals
            self.side = side
        self.admission, self.link = self.side.admission, self.side.link
        self.mqtt_port, self.plain_port = self.side.boards_port, self.side.plain_port

    async def _serve(self, stack: AsyncExitStack, ready: asyncio.Future[None]) -> None:
        tasks = asyncio.TaskGroup()

        def spawn(work: Coroutine[object, object, None]) -> None:
            survived = _survived(work)
            try:
                tasks.create_task(survived)
            except RuntimeError:  # a timer's wish, when all has ended
                survived.close()
                work.close()

        self.spawn: Spawn = spawn
        clock = SystemClock(self.settings.zone)
        self.cases = cases = await self._doors(clock)
        operators = wire_operators(
            self.store.accounts,
            self.store,
            self._passwords(stack),
            clock,
            cases.announcer.announce,
            self.tokens,
        )
        self.needs_setup = operators.auth.needs_setup()
        web = self._web_servers(stack, self._services(cases, operators))
        connected = asyncio.Event()
        self.link.on_message = cases.router.handle
        self.link.on_up = lambda: _all(
            cases.cache.announce, cases.updates.resume, self.side.linked, connected.set
        )
        async with tasks:
            running = (self.link.run(), _renew(cases.cache), self.tls.keep(), self.side.keep())
            own = [tasks.create_task(work) for work in running]
            for server in web:
                tasks.create_task(server.run_until_stopped())
            await self._until_stopped(ready, (connected, *(server.ready for server in web)))
            cases.feed.close()
            for server in web:
                server.stop()
            for task in own:
                task.cancel()

    async def _doors(self, clock: SystemClock) -> UseCases:
        """All that is done about doors, with what the store knows of them."""
        settings = self.settings
        restored_ms = await restored.settle(settings.directory, self.restored, self.store.accounts)
        cases = wire(
            settings.base,
            self.store,
            self.signer,
            self.link,
            clock,
            self.spawn,
            self.admission,
            Wirings(data_root() / "boards"),
            restored_ms=restored_ms,
        )
        cases.shelf.shipped = self.shipped
        await self.prepare(cases)
        await cases.cache.refresh()
        await self._recall(cases)
        return cases

    async def _until_stopped(
        self, ready: asyncio.Future[None], up: tuple[asyncio.Event, ...]
    ) -> None:
        """Return when this is to end; `ready` is set as soon as everything is up, if it is before."""
        async with asyncio.TaskGroup() as waiting:
            stopping = waiting.create_task(self._stopping.wait())
            serving = waiting.create_task(_all_set(*up))
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                ready.set_result(None)
            await stopping
            serving.cancel()

    async def _recall(self, cases: UseCases) -> None:
        """The last thing that happened at each door is still the last after a restart."""
        for door in cases.states.list():
            for row in await self.store.recent(1, None, door.id):
                cases.states.last(entry(row))

    async def prepare(self, cases: UseCases) -> None:
        """For a kind of gateway that has something to set up before doors are served."""

    def site(self, cases: UseCases) -> Site | None:
        """For a kind of gateway that has a virtual site."""
        return None

    def _services(self, cases: UseCases, operators: OperatorCases) -> Services:
        started = datetime.now(UTC)
        self.side.view.reads.append(lambda: of_gateway(cases, self.link))
        looks = checks.all_checks(self.side.looks(), self.signer, cases, self.settings, self.tls)
        return Services(
            people=cases.people,
            holidays=cases.holidays,
            doors=cases.states,
            releases=cases.releases,
            lights=cases.lights,
            sensors=cases.fixtures,
            devices=cases.devices,
            selftests=cases.selftests,
            adoptions=self._adoptions(cases),
            firmware=cases.shelf,
            updates=cases.updates,
            access=cases.why,
            history=AuditHistory(self.store, cases.states.resolve),
            trail=AuditTrail(
                self.store.trail,
                self.store,
                self.signer,
                cases.announcer,
                SystemClock(self.settings.zone),
            ),
            auth=operators.auth,
            account=operators.account,
            operators=operators.operators,
            tokens=operators.tokens,
            feed=cases.feed,
            authority=self.signer,
            health=HealthMonitor(__version__, self.settings.directory, started, looks),
            broker=self.side.desk(operators.log.write),
            mqtt=MqttDesk(self.settings.base, self.side.view, cases.devices.knows),
            site=self.site(cases),
            outside=self.side if isinstance(self.side, MosquittoSide) else None,
        )

    def _adoptions(self, cases: UseCases) -> Adoptions:
        boards = data_root() / "boards"
        return Adoptions(cases.devices, boards, self._broker_for_boards, cases.shelf.signatory)

    def _broker_for_boards(self) -> BrokerAddress:
        return BrokerAddress(self.boards_host, self.mqtt_port, self.settings.base)

    def _web_servers(self, stack: AsyncExitStack, services: Services) -> tuple[Server, ...]:
        web = self.settings.web
        tcp = servers.listen_tcp(web.host, web.port)
        stack.callback(tcp.close)
        self.web_port = tcp.getsockname()[1]
        local = servers.listen_unix(self.settings.socket)
        stack.callback(self.settings.socket.unlink, missing_ok=True)
        stack.callback(local.close)
        return (
            Server(create_app(services), tcp, self.tls.browsers if web.https else None),
            Server(create_app(services, local=True), local),
        )

    @staticmethod
    def _passwords(stack: AsyncExitStack) -> Argon2Passwords:
        passwords = Argon2Passwords()
        stack.callback(passwords.close)
        return passwords


async def _all_set(*events: asyncio.Event) -> None:
    for event in events:
        await event.wait()


def _all(*steps: Callable[[], object]) -> None:
    for step in steps:
        step()


async def _renew(cache: CacheKeeper) -> None:
    """Boards' records age; new ones are made long before the old ones are too old."""
    while True:
        await asyncio.sleep(_CACHE_S)
        await _survived(cache.refresh())


async def _survived(work: Coroutine[object, object, None]) -> None:
    """Run something on the side; its failure is logged and takes nothing else along."""
    try:
        await work
    except Exception:  # noqa: BLE001 - whatever it was, the doors go on
        _log.exception("task.failed")
