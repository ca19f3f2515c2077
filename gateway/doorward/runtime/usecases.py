"""The use cases of a gateway, and what they ask of its store and its keys."""

from dataclasses import dataclass
from typing import Protocol

from doorward.app.access.announcer import Announcer
from doorward.app.access.cache import CacheKeeper
from doorward.app.access.doors import DoorStates
from doorward.app.access.holidays import HolidayDesk
from doorward.app.access.people import PeopleDesk
from doorward.app.access.releases import Releases
from doorward.app.access.rulebook import Rulebook
from doorward.app.access.taps import AccessControl
from doorward.app.access.why import WhyNot
from doorward.app.board_logs.events import EventLog
from doorward.app.devices.desk import DeviceDesk
from doorward.app.devices.discovery import Discovery
from doorward.app.devices.rekey import Rekeying
from doorward.app.devices.selftests import SelfTests
from doorward.app.feed import LiveFeed
from doorward.app.firmware_ports import FirmwareStore, UpdateStore
from doorward.app.lighting.fixtures import Fixtures
from doorward.app.lighting.lights import Lights
from doorward.app.messages.fleet import Fleet
from doorward.app.messages.router import Router
from doorward.app.ports import AuditStore, CacheStore, DeviceStore, LogStore, RulesStore
from doorward.app.signer_ports import FirmwareSigner, Notary, Registrar, Signer
from doorward.app.updates.rollout import Rollouts
from doorward.app.updates.shelf import Shelf


class Store(
    RulesStore, AuditStore, LogStore, CacheStore, DeviceStore, FirmwareStore, UpdateStore, Protocol
):
    """Everything that the doors need to be on record."""


class Keys(Signer, Registrar, Notary, FirmwareSigner, Protocol):
    """The whole signer, in this process or in another."""


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the application does about doors."""

    rulebook: Rulebook
    feed: LiveFeed
    fleet: Fleet
    states: DoorStates
    access: AccessControl
    events: EventLog
    releases: Releases
    rekeying: Rekeying
    cache: CacheKeeper
    people: PeopleDesk
    holidays: HolidayDesk
    devices: DeviceDesk
    shelf: Shelf
    updates: Rollouts
    discovery: Discovery
    why: WhyNot
    router: Router
    announcer: Announcer
    fixtures: Fixtures
    lights: Lights
    selftests: SelfTests
