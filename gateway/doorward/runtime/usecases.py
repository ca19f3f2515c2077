"""The use cases wired to each other, on ports: what tests run on fakes and the gateway on the real parts."""

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
from doorward.app.board_logs.rows import EventRows
from doorward.app.devices.acks import CommandAcks
from doorward.app.devices.desk import DeviceDesk
from doorward.app.devices.discovery import Discovery
from doorward.app.devices.presence import Presence
from doorward.app.devices.registry import Registry
from doorward.app.devices.rekey import Rekeying
from doorward.app.devices.selftests import SelfTests, WiringBook
from doorward.app.devices.states import BoardStates
from doorward.app.feed import LiveFeed
from doorward.app.lighting.fixtures import Fixtures
from doorward.app.lighting.lights import Lights
from doorward.app.messages.fleet import Fleet
from doorward.app.messages.router import Handler, Router
from doorward.app.messages.timekeeping import TimeServer
from doorward.app.ports import (
    Admission,
    AuditStore,
    CacheStore,
    Clock,
    DeviceStore,
    FirmwareStore,
    LogStore,
    Publisher,
    RulesStore,
    Spawn,
    UpdateStore,
)
from doorward.app.signer_ports import FirmwareSigner, Notary, Registrar, Signer
from doorward.app.updates.boards import Boards
from doorward.app.updates.offers import Offers
from doorward.app.updates.orders import OrderBook
from doorward.app.updates.progress import Progress
from doorward.app.updates.rollout import Rollouts
from doorward.app.updates.shelf import Shelf
from doorward.app.updates.trusting import Trusting
from doorward.domain.audit import AuditRow
from doorward_core import topic_tree, topics
from doorward_core.gateway_messages import Event


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


def wire(  # noqa: PLR0913 - everything that tests have of their own
    base: str,
    store: Store,
    signer: Keys,
    publisher: Publisher,
    clock: Clock,
    spawn: Spawn,
    admission: Admission,
    wirings: WiringBook,
    *,
    restored_ms: int | None = None,
) -> UseCases:
    """Make them all. `spawn` runs a coroutine beside everything else.

    restored_ms: when the database was last replaced by a backup's, None if it never was.
    """
    rulebook = Rulebook(store)
    feed = LiveFeed()
    fleet = Fleet(base, signer, publisher, clock)
    states = DoorStates(rulebook, feed)
    announcer = Announcer(states, feed)
    registry = Registry(store, signer, fleet, announcer, clock)
    releases = Releases(rulebook, fleet, states, store, feed, announcer, clock)
    trusting = Trusting(registry, fleet, clock)
    progress = Progress(feed)
    orders = OrderBook(store, progress, announcer, clock)
    shelf = Shelf(store, signer, announcer, clock, orders.wants)
    offers = Offers(shelf, fleet, orders, progress, clock)
    updates = Rollouts(
        shelf, offers, trusting, Boards(registry, fleet, orders), orders, progress, clock, spawn
    )
    rows = EventRows(rulebook, signer, releases.actor, orders.actor)
    events = EventLog(fleet, signer, store, rows, announcer, clock, spawn)
    cache = CacheKeeper(rulebook, fleet, signer, states, store, announcer, clock, spawn)
    events.restored_ms = cache.restored_ms = restored_ms
    access = AccessControl(rulebook, fleet, signer, store, announcer, clock)
    events.happened.append(lambda device, event: _happened(states, releases, device, event))
    rekeying = Rekeying(fleet, signer, store, announcer, clock, spawn, cache.refresh)
    fixtures = Fixtures(lambda device: _name(registry, rulebook, device), feed)
    lights = Lights(fixtures, fleet, store, announcer, clock)
    boards = BoardStates(states, fixtures)
    events.happened.append(lambda device, event: _moved(fixtures, clock, device, event))
    presence = Presence(fleet, boards, clock, events.head)
    events.happened.append(updates.happened)
    presence.on_hello += [events.hello, cache.hello, rekeying.hello, updates.hello]
    discovery = Discovery(registry, fleet, clock, spawn)
    devices = DeviceDesk(
        registry, signer, admission, fleet, rulebook, boards, rekeying, cache.refresh
    )
    devices.updates = updates

    async def on_record(row: AuditRow) -> None:
        announcer.announce([await store.append(row)])

    selftests = SelfTests(devices.get, fleet, releases, wirings, on_record, feed, clock, spawn)
    acks = CommandAcks(presence, releases, rekeying, cache, trusting, offers, lights, selftests)
    sealed = _sealed(access, TimeServer(fleet, clock), acks, presence, discovery)
    raw = {topics.EVENTS: events.event, topics.OFFLINE: presence.offline}
    people = PeopleDesk(rulebook, store, announcer, clock, cache.refresh)
    holidays = HolidayDesk(rulebook, store, announcer, clock, cache.refresh)
    why = WhyNot(rulebook, states, clock)
    return UseCases(
        rulebook, feed, fleet, states, access, events, releases, rekeying, cache, people, holidays, devices, shelf,
        updates, discovery, why,
        Router(fleet, signer, sealed, raw), announcer, fixtures, lights, selftests,
    )  # fmt: skip


def _sealed(
    access: AccessControl,
    time: TimeServer,
    acks: CommandAcks,
    presence: Presence,
    discovery: Discovery,
) -> dict[str, Handler]:
    """Who takes what a board says under its seal, by the leaf of its topic."""
    return {
        topics.ACCESS_REQUEST: access.request,
        topics.TIME_REQUEST: time.request,
        topics.COMMANDS_ACK: acks.acknowledged,
        topics.ONLINE: presence.hello,
        topics.REPORTED: presence.reported,
        topics.HEARTBEAT: presence.heartbeat,
        topic_tree.METRICS: presence.metrics,
        topics.REGISTER: discovery.register,
    }


def _happened(states: DoorStates, releases: Releases, device: str, event: Event) -> None:
    """A new entry of a board's log is on record: doors and releases follow it."""
    states.happened(device, event.kind, event.data)
    command_id = event.data.get("command_id")
    released = event.kind == "lock.changed" and event.data.get("locked") is False
    if (released or event.kind == "lockout.cleared") and isinstance(command_id, str):
        releases.opened(command_id)


def _moved(fixtures: Fixtures, clock: Clock, device: str, event: Event) -> None:
    """A new entry of a board's log is on record: a motion sensor may have seen somebody."""
    if event.kind == "motion":
        fixtures.moved(device, clock.now())


def _name(registry: Registry, rulebook: Rulebook, device: str) -> str:
    """What people call a board: by its own name, or its door's."""
    known = registry.get(device)
    door = rulebook.snapshot.by_device.get(device)
    return (known.name if known else None) or (door.name if door else device)
