"""The broker in the gateway's own process."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack

from doorward.adapters.mqtt import MqttLink
from doorward.adapters.passwords import Argon2Passwords
from doorward.app.health import Look
from doorward.app.ports import Admission
from doorward.broker import Broker, Policy, Principals
from doorward.broker.store import BrokerStore
from doorward.config import LOOPBACK, Settings
from doorward.domain.devices import Registration
from doorward.runtime import checks
from doorward.runtime.brokers import own_broker
from doorward.runtime.brokers.admission import BrokerAdmission, admit_all
from doorward.runtime.brokers.desk import BrokerDesk
from doorward.runtime.brokers.owed_records import Record
from doorward.runtime.brokers.own_clients import GATEWAY_NAME, let_in
from doorward.runtime.brokers.own_view import view_of
from doorward.runtime.brokers.user_certificates import SignedCertificates
from doorward.runtime.brokers.view import MqttView
from doorward.runtime.servers.server_tls import ServerTls
from doorward.runtime.usecases import Keys


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
    mqtt = settings.mqtt
    broker = own_broker.build(store, principals, policy, passwords, keys, mqtt.limits.given())
    secret, api_secret = let_in(principals)
    admission = BrokerAdmission(broker, principals)
    admit_all(principals, known, keys.digests())
    plain_port = await own_broker.listen(broker, mqtt, tls.mqtt, tls.websockets)
    stack.push_async_callback(broker.stop)
    link = MqttLink(LOOPBACK, plain_port, GATEWAY_NAME, secret, settings.base)

    def desk(record: Record) -> BrokerDesk:
        return BrokerDesk(
            broker,
            store,
            passwords,
            built_in=policy.built_in,
            record=record,
            certificates=SignedCertificates(keys),
        )

    view = view_of(broker, policy, mqtt.host, plain_port, api_secret)
    return EmbeddedSide(broker, principals, link, admission, plain_port, settings, desk, view)
