"""A gateway at a broker that somebody else keeps, as MQTT_BROKER_URL names it: a link to it, and nothing to keep there.

It can refuse service, and open nothing: what moves a lock is sealed. Who may connect there is its keeper's to say.
"""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Self

import structlog

from doorward.adapters.mqtt import MqttLink
from doorward.adapters.mqtt_client import Login
from doorward.app.health import Look
from doorward.app.views.health import HealthCheck
from doorward.app.views.mqtt import Listeners
from doorward.broker import Policy
from doorward.config import MOSQUITTO, Settings, is_loopback
from doorward.errors import ConfigError, StartupError
from doorward.remote_broker import PASSWORD, URL, USER, RemoteBroker, from_environment
from doorward.runtime.brokers.owed_records import Record
from doorward.runtime.brokers.own_clients import GATEWAY_NAME
from doorward.runtime.brokers.view import MqttView

_log = structlog.get_logger(__name__)


class ForeignSide:
    """A `BrokerSide`; use `find`."""

    def __init__(
        self, broker: RemoteBroker, address: str, login: Login, settings: Settings, policy: Policy
    ) -> None:
        """`address` is the broker's, in numbers, as boards need it."""
        self.broker = broker
        self.boards_host = address
        self.boards_port = broker.port
        self.plain_port = 0
        self.admission = _KeptElsewhere(broker)
        self.link = MqttLink(
            broker.host,
            broker.port,
            login.user or GATEWAY_NAME,
            login.password or "",
            settings.base,
            keeps_all=True,
            tls=None if broker.tls is None else broker.tls.context(),
        )
        self.view = MqttView(
            str(broker),
            Listeners(address, broker.port if broker.tls else None, None, None),
            policy,
            broker,
            login,
            lambda: self.link.connected,
            dict,
        )

    @classmethod
    async def find(
        cls, settings: Settings, policy: Policy, environ: Mapping[str, str] = os.environ
    ) -> Self | None:
        """The broker that the environment names, None when it names none.

        Raises ConfigError for what does not fit together, StartupError for one that takes anybody, or whose name
        nobody knows.
        """
        broker = from_environment(environ)
        if broker is None:
            return None
        if settings.broker == MOSQUITTO:
            raise ConfigError(
                f'{URL} names a broker, and broker = "{MOSQUITTO}" another', "unset one of them"
            )
        login = Login(environ.get(USER), environ.get(PASSWORD), "")
        _check(broker, login)
        try:
            address = await asyncio.to_thread(socket.gethostbyname, broker.host)
        except OSError as error:
            raise StartupError(
                f"{URL}: nobody knows the name {broker.host} ({error.strerror})", "check it"
            ) from error
        _log.info("broker.foreign", broker=str(broker))
        return cls(broker, address, login, settings, policy)

    async def answer(self) -> None:
        """The link lives, or comes back by itself: to start us anew would help nobody."""

    async def keep(self) -> None:
        await asyncio.Event().wait()

    def linked(self) -> None:
        """Nothing follows from it."""

    def desk(self, record: Record) -> None:
        """Its users and rules are its keeper's."""

    def looks(self) -> Sequence[Look]:
        return (self._look,)

    def _look(self) -> HealthCheck:
        if self.link.connected:
            return HealthCheck("broker", True, f"connected to {self.broker}, which others keep")
        return HealthCheck(
            "broker", False, f"no connection to {self.broker}", "ask whoever keeps that broker"
        )


class _KeptElsewhere:
    """The application's `Admission` where it is not ours to admit anybody."""

    def __init__(self, broker: RemoteBroker) -> None:
        self._broker = broker

    def check_name(self, device: str) -> None:
        """Whatever it is called, its keeper has to take it."""

    async def admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        _log.warning("broker.admit_there", device=device, broker=str(self._broker))

    async def expel(self, device: str) -> None:
        _log.warning("broker.remove_there", device=device, broker=str(self._broker))

    async def enforce(self, device: str) -> None:
        """Its certificate is of our CA; what that broker makes of it is its keeper's."""


def _check(broker: RemoteBroker, login: Login) -> None:
    certified = broker.tls is not None and broker.tls.certificate is not None
    if not certified and (login.user is None or login.password is None):
        raise StartupError(
            f"{broker} would have to take anybody: there is neither {USER} with {PASSWORD} nor a certificate",
            "a public broker is no place for doors; use one that knows its clients",
        )
    if broker.tls is None and not is_loopback(broker.host) and broker.host != "localhost":
        raise StartupError(
            f"the way to {broker} is not secret", f"use mqtts:// in {URL}, and its CA"
        )
