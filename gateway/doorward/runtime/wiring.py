"""The use cases wired to each other: tests run this on fakes, the gateway on the real parts."""

from dataclasses import dataclass

from doorward.app.access.announcer import Announcer
from doorward.app.access.cache import CacheKeeper
from doorward.app.access.doors import DoorStates
from doorward.app.access.holidays import HolidayDesk
from doorward.app.access.people import PeopleDesk
from doorward.app.access.releases import Releases
from doorward.app.access.rulebook import Rulebook
from doorward.app.access.taps import AccessControl
from doorward.app.access.why import WhyNot
from doorward.app.acks import CommandAcks
from doorward.app.board_logs.events import EventLog
from doorward.app.board_logs.rows import EventRows
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
from doorward.app.messages.challenges import Challenges
from doorward.app.messages.fleet import Fleet
from doorward.app.messages.router import Handler, Router
from doorward.app.messages.timekeeping import TimeServer
from doorward.app.ports import (
    Admission,
    Clock,
    Publisher,
    Spawn,
)
from doorward.app.updates.boards import Boards
from doorward.app.updates.offers import Offers
from doorward.app.updates.orders import OrderBook
from doorward.app.updates.progress import Progress
from doorward.app.updates.rollout import Rollouts
from doorward.app.updates.shelf import Shelf
from doorward.app.updates.trusting import Trusting
from doorward.domain.audit import AuditRow
from doorward.firmware import bundle
from doorward.runtime.usecases import Keys, Store, UseCases
from doorward_core import topic_tree, topics
from doorward_core.gateway_messages import Event


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
    core = _Core(base, store, signer, publisher, clock, spawn)
    rulebook, feed, fleet, states = core.rulebook, core.feed, core.fleet, core.states
    announcer, registry = core.announcer, core.registry
    releases = Releases(rulebook, fleet, states, store, feed, announcer, clock)
    updating = _updating(core)
    cache = CacheKeeper(rulebook, fleet, signer, states, store, announcer, clock, spawn)
    access = AccessControl(rulebook, fleet, signer, store, announcer, clock)
    rekeying = Rekeying(
        fleet, signer, store, announcer, clock, spawn, core.challenges, cache.refresh
    )
    fixtures = Fixtures(core.name, feed)
    lights = Lights(fixtures, fleet, store, announcer, clock)
    boards = BoardStates(states, fixtures)
    events = _event_log(core, releases, updating, fixtures, restored_ms)
    cache.restored_ms = restored_ms
    presence = Presence(fleet, boards, clock, events.head)
    presence.on_hello += [events.hello, cache.hello, rekeying.hello, updating.rollouts.hello]
    discovery = Discovery(registry, fleet, clock, spawn)
    devices = DeviceDesk(
        registry, signer, admission, fleet, rulebook, boards, rekeying, cache.refresh
    )
    devices.updates = updating.rollouts
    selftests = SelfTests(devices.get, fleet, releases, wirings, core.record, feed, clock, spawn)
    acks = CommandAcks(
        presence, releases, core.challenges, cache, updating.offers, lights, selftests
    )
    sealed = _sealed(access, TimeServer(fleet, clock), acks, presence, discovery)
    raw = {topics.EVENTS: events.event, topics.OFFLINE: presence.offline}
    return UseCases(
        rulebook, feed, fleet, states, access, events, releases, rekeying, cache,
        PeopleDesk(rulebook, store, announcer, clock, cache.refresh),
        HolidayDesk(rulebook, store, announcer, clock, cache.refresh), devices, updating.shelf, updating.rollouts,
        discovery, WhyNot(rulebook, states, clock), Router(fleet, signer, sealed, raw), announcer, fixtures, lights,
        selftests,
    )  # fmt: skip


class _Core:
    """What the others stand on: the ports, the rules, the boards, and who is told of what is on record."""

    def __init__(
        self,
        base: str,
        store: Store,
        signer: Keys,
        publisher: Publisher,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self.store, self.signer, self.clock, self.spawn = store, signer, clock, spawn
        self.rulebook = Rulebook(store)
        self.feed = LiveFeed()
        self.fleet = Fleet(base, signer, publisher, clock)
        self.challenges = Challenges(self.fleet, clock)
        self.states = DoorStates(self.rulebook, self.feed)
        self.announcer = Announcer(self.states, self.feed)
        self.registry = Registry(store, signer, self.fleet, self.announcer, clock)

    async def record(self, row: AuditRow) -> None:
        """Put something on record, and tell it."""
        self.announcer.announce([await self.store.append(row)])

    def name(self, device: str) -> str:
        """What people call a board: by its own name, or its door's."""
        known = self.registry.get(device)
        door = self.rulebook.snapshot.by_device.get(device)
        return (known.name if known else None) or (door.name if door else device)


@dataclass(frozen=True, slots=True)
class _Updating:
    """Firmware on its way to boards."""

    orders: OrderBook
    shelf: Shelf
    offers: Offers
    rollouts: Rollouts


def _updating(core: _Core) -> _Updating:
    fleet, clock, store = core.fleet, core.clock, core.store
    trusting = Trusting(core.registry, fleet, core.challenges)
    progress = Progress(core.feed)
    orders = OrderBook(store, progress, core.announcer, clock)
    shelf = Shelf(store, core.signer, core.announcer, clock, orders.wants, bundle)
    offers = Offers(shelf, fleet, orders, progress, clock)
    boards = Boards(core.registry, fleet, orders)
    rollouts = Rollouts(shelf, offers, trusting, boards, orders, progress, clock, core.spawn)
    return _Updating(orders, shelf, offers, rollouts)


def _event_log(
    core: _Core,
    releases: Releases,
    updating: _Updating,
    fixtures: Fixtures,
    restored_ms: int | None,
) -> EventLog:
    """The boards' logs, and who follows what they say."""
    rows = EventRows(core.rulebook, core.signer, releases.actor, updating.orders.actor)
    ports = core.fleet, core.signer, core.store, rows, core.announcer, core.clock, core.spawn
    events = EventLog(*ports, restored_ms)
    events.happened += [
        lambda device, event: _happened(core.states, releases, device, event),
        lambda device, event: _moved(fixtures, core.clock, device, event),
        updating.rollouts.happened,
    ]
    return events


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
