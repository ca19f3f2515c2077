"""What the page, the API and the command line can ask of the application.

Each protocol is one noun. Errors are `doorward.errors` leaves: InvalidInput and NotFound for what was asked, Conflict
when it stands already, Unavailable when a board or the store is away, NotSignedIn and TooManyAttempts for people.
"""

from dataclasses import dataclass

from doorward.app.services.audit import History, Trail
from doorward.app.services.broker import BrokerAdministration, OutsideBroker
from doorward.app.services.feed import Feed
from doorward.app.services.installation import Monitor, TrustAnchor
from doorward.app.services.mqtt import MqttAccess
from doorward.app.services.operators import Auth, Operators, OwnAccounts, Tokens
from doorward.app.services.site import (
    Access,
    Adopting,
    Devices,
    Doors,
    FirmwareForBoards,
    Holidays,
    Lights,
    People,
    Releases,
    SelfTests,
    Sensors,
    Site,
    Updating,
)


@dataclass(frozen=True, slots=True)
class BrokerServices:
    """What there is of it where a broker runs alone."""

    broker: BrokerAdministration
    mqtt: MqttAccess
    health: Monitor


@dataclass(frozen=True, slots=True)
class Services:
    """All of it. `site` is there only in the demo, `broker` only where users and rules are ours to keep."""

    people: People
    holidays: Holidays
    doors: Doors
    releases: Releases
    lights: Lights
    sensors: Sensors
    devices: Devices
    selftests: SelfTests
    adoptions: Adopting
    firmware: FirmwareForBoards
    updates: Updating
    access: Access
    history: History
    trail: Trail
    auth: Auth
    account: OwnAccounts
    operators: Operators
    tokens: Tokens
    feed: Feed
    authority: TrustAnchor
    health: Monitor
    mqtt: MqttAccess
    broker: BrokerAdministration | None = None
    site: Site | None = None
    outside: OutsideBroker | None = None  # with Mosquitto alone
