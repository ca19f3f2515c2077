"""What a gateway needs of the broker that it uses, whichever that is."""

from collections.abc import Sequence
from typing import Protocol

from doorward.adapters.mqtt import MqttLink
from doorward.app.health import Look
from doorward.app.ports import Admission
from doorward.app.services.broker import BrokerAdministration
from doorward.runtime.brokers.owed_records import Record
from doorward.runtime.brokers.view import MqttView


class BrokerSide(Protocol):
    """A broker that listens, and the way to it. boards_port: for boards, over TLS; plain_port: for this machine."""

    @property
    def link(self) -> MqttLink: ...

    @property
    def admission(self) -> Admission: ...

    @property
    def boards_port(self) -> int: ...

    @property
    def plain_port(self) -> int: ...

    @property
    def view(self) -> MqttView: ...

    async def answer(self) -> None:
        """Return when the broker has answered. Raises what failed."""

    async def keep(self) -> None:
        """Do what has to be done from time to time, for ever."""

    def linked(self) -> None:
        """The link has connected, for the first time or anew."""

    def desk(self, record: Record) -> BrokerAdministration | None:
        """Its users, rules and log, when they are ours to keep; `record` puts changes into the audit."""

    def looks(self) -> Sequence[Look]:
        """What `doctor` is shown."""
