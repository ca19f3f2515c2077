"""The broker in the gateway's own process."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack

import structlog

from doorward.adapters.mqtt import MqttLink
from doorward.adapters.mqtt_client import Login
from doorward.adapters.passwords import Argon2Passwords
from doorward.app.health import Look
from doorward.app.mqtt_views import Listeners
from doorward.app.ports import Admission
from doorward.broker import Broker, Denial, OverWebSocket, Policy, Principals, Role, Secure
from doorward.broker.logins import PasswordLogins
from doorward.broker.store import BrokerStore
from doorward.config import EMBEDDED, LOOPBACK, Mqtt, Settings
from doorward.domain.devices import Registration
from doorward.remote_broker import RemoteBroker
from doorward.runtime import checks
from doorward.runtime.admission import BrokerAdmission, admit_all
from doorward.runtime.broker_desk import BrokerDesk
from doorward.runtime.broker_figures import of_broker
from doorward.runtime.broker_side import GATEWAY_NAME
from doorward.runtime.file_limit import broker_limits
from doorward.runtime.mqtt_view import API_NAME, MqttView
from doorward.runtime.owed_records import Record
from doorward.runtime.tls import ServerTls
from doorward.runtime.usecases import Keys

_log = structlog.get_logger(__name__)


class EmbeddedSide:
    """The broker in the gateway's own process: it needs no care."""

    def __init__(
        self,
        broker: Broker,
        principals: Principals,
        link: MqttLink,
        admission: Admission,
        plain_port: int,
        settings: Settings,
        desk: Callable[[Record], BrokerDesk],
        view: MqttView,
    ) -> None:
        self.broker = broker
        self.principals = principals
        self._settings = settings
        self._desk = desk
        self.link = link
        self.admission = admission
        self.boards_port = broker.secure_port
        self.plain_port = plain_port
        self.view = view

    async def answer(self) -> None:
        await self.broker.answer()

    async def keep(self) -> None:
        await asyncio.Event().wait()

    def linked(self) -> None:
        """Nothing follows from it."""

    def desk(self, record: Record) -> BrokerDesk:
        return self._desk(record)

    def looks(self) -> Sequence[Look]:
        return checks.embedded(self.link, self.broker, self._settings)

    def looks_alone(self) -> Sequence[Look]:
        """What `doctor` is shown of a broker without a gateway."""
        return checks.alone(self.broker, self._settings)


async def start(
    settings: Settings,
    key: bytes,
    keys: Keys,
    known: Iterable[Registration],
    tls: ServerTls,
    stack: AsyncExitStack,
) -> EmbeddedSide:
    """Listen, with those of the registry let in that may come. Raises PortInUse; `stack` ends it."""
    principals = Principals()
    policy = Policy(settings.base)
    passwords = (
        Argon2Passwords()
    )  # of its own: who guesses here keeps nobody from signing in to the page
    stack.callback(passwords.close)
    store = BrokerStore.open(settings.directory / "broker.db", key)
    broker = Broker(
        store,
        principals,
        policy,
        on_denied=_denied,
        limits=broker_limits(settings.mqtt.limits.given()),
        certificates=keys,
        logins=PasswordLogins(principals, passwords, time.monotonic),
    )
    secret, api_secret = _add_our_own(principals)
    admission = BrokerAdmission(broker, principals)
    admit_all(principals, known, keys.digests())
    plain_port = await _listen(broker, settings.mqtt, tls)
    stack.push_async_callback(broker.stop)
    link = MqttLink(LOOPBACK, plain_port, GATEWAY_NAME, secret, settings.base)

    def desk(record: Record) -> BrokerDesk:
        return BrokerDesk(broker, store, passwords, built_in=policy.built_in, record=record)

    view = _view(settings, broker, policy, plain_port, Login(API_NAME, api_secret))
    return EmbeddedSide(broker, principals, link, admission, plain_port, settings, desk, view)


def _add_our_own(principals: Principals) -> tuple[str, str]:
    """Let the gateway in, and the clients that speak for operators; returns their secrets, good for this run."""
    secret, api_secret = secrets.token_hex(32), secrets.token_hex(32)
    # Not kept: registry and signer say who there is, and a device that they forgot stays outside.
    principals.add(GATEWAY_NAME, secret, Role.GATEWAY, keep=False)
    principals.add(API_NAME, api_secret, Role.API, keep=False)
    return secret, api_secret


async def _listen(broker: Broker, mqtt: Mqtt, tls: ServerTls) -> int:
    """On all of its ports; returns the plain one. Raises PortInUse."""
    secure = Secure(mqtt.host, mqtt.port, tls.mqtt)
    websocket = OverWebSocket(
        mqtt.host, mqtt.websocket_port, tls.websockets, mqtt.websocket_origins
    )
    return await broker.start(LOOPBACK, mqtt.plain_port, secure, websocket)


def _view(
    settings: Settings, broker: Broker, policy: Policy, plain_port: int, login: Login
) -> MqttView:
    return MqttView(
        EMBEDDED,
        Listeners(settings.mqtt.host, broker.secure_port, broker.websocket_port, plain_port),
        policy,
        RemoteBroker(LOOPBACK, plain_port),
        login,
        lambda: True,
        broker.status,
        [lambda: of_broker(broker)],
    )


def _denied(denial: Denial) -> None:
    _log.warning(
        "broker.denied",
        principal=denial.principal,
        action=denial.action,
        topic=denial.topic,
        rule=denial.rule,
        unsaid=denial.unsaid,
    )
