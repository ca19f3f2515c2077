"""The application's services in memory, for tests of what stands on top of them: no board, no store, no network."""

import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from fakes.activity import FakeFeed, FakeHistory, FakeTrail
from fakes.broker import FakeBroker
from fakes.devices import FakeDevices
from fakes.fixtures import FakeFixtures
from fakes.holidays import FakeHolidays
from fakes.mqtt import FakeTraffic
from fakes.selftests import FakeSelfTests
from stage.accounts import Desk

from doorward.app.mqtt.desk import MqttDesk
from doorward.app.services import Services
from doorward.app.views.access import (
    Card,
    Contact,
    DoorView,
    Explanation,
    Level,
    LevelGrant,
    Person,
    Release,
    Step,
)
from doorward.app.views.audit import AuditEntry
from doorward.app.views.health import Health, HealthCheck
from doorward.app.views.operators import Session
from doorward.app.views.site import SiteBoard, SiteCard
from doorward.domain import permissions, typed_codes
from doorward.domain.credentials import parse_uid
from doorward.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NotSignedIn,
    TooManyAttempts,
    Unavailable,
)
from doorward_core import codes

SETUP_TOKEN = "brisk-otter-meadow"
PASSWORD = "correct horse battery"
ONE_TIME = "one-time-link"
FRONT = DoorView(id="front", name="Front door", online=True, locked=True, contact="closed")
CARDS = MappingProxyType(
    {
        "member": ("Maya Okafor", "d5e6", True, "Maya Okafor may pass here at any time."),
        "evening": (
            "Jonas Weber",
            "91aa",
            False,
            "Jonas Weber may pass here on weekdays from 17:00 to 22:00.",
        ),
        "former": ("Ana Ruiz", "07c3", False, "The card of Ana Ruiz was revoked."),
        "stranger": (None, "b00f", False, "Nobody has this card."),
    }
)


class FakeDoors:
    def __init__(self, site: "FakeHouse") -> None:
        self._house = site
        self.views: dict[str, DoorView] = {}

    def list(self) -> tuple[DoorView, ...]:
        return tuple(self.views.values())

    def get(self, door: str) -> DoorView:
        for view in self.views.values():
            if door == view.id or door.casefold() == view.name.casefold():
                return view
        raise NotFound(
            f"there is no door {door!r}", "`doorward door list` shows them all", field="door"
        )

    async def open(self, door: str, actor: str) -> Release:
        view = self.get(door)
        if not view.online:
            raise Unavailable(f"{view.name} is offline", "try again when its board is back")
        now = datetime.now(UTC)
        until = now + timedelta(seconds=10)
        release = Release(
            f"r{self._house.feed.position}", view.id, view.name, actor, "unknown", now, until
        )
        self._house.record(
            kind="release.requested", door_id=view.id, door_name=view.name, actor=actor
        )
        self._house.set_door(view.id, release=release)
        return release

    async def end_lockout(self, vault: str, actor: str) -> Release:
        view = self.get(vault)
        if view.lockout is None:
            raise Conflict(f"{view.name} is not locked out", "there is nothing to end")
        release = replace(await self.open(vault, actor), kind="end_lockout")
        self._house.set_door(view.id, release=release)
        return release

    async def end_wait(self, door: str, actor: str) -> Release:
        view = self.get(door)
        if view.codes_until is None:
            raise Conflict(f"no keypad of {view.name} waits", "there is nothing to end")
        release = replace(await self.open(door, actor), kind="end_wait")
        self._house.set_door(view.id, release=release)
        return release


class FakePeople:
    def __init__(self) -> None:
        self.people: dict[str, Person] = {
            "Maya Okafor": Person(1, "Maya Okafor", True, ("Members",))
        }
        self.cards: dict[bytes, Card] = {}
        self.actors: list[str] = []

    async def list(self) -> tuple[Person, ...]:
        def held(person: Person) -> tuple[Card, ...]:
            return tuple(card for card in self.cards.values() if card.person == person.name)

        return tuple(replace(person, cards=held(person)) for person in self.people.values())

    async def add(
        self,
        name: str,
        levels: Sequence[str] = (),
        *,
        valid_from: date | None = None,
        valid_until: date | None = None,
        actor: str,
    ) -> Person:
        if name in self.people:
            raise Conflict(f"{name} is there already", "choose another name", field="name")
        self.actors.append(actor)
        dates = valid_from, valid_until
        self.people[name] = Person(len(self.people) + 1, name, True, tuple(levels), (), *dates)
        return self.people[name]

    async def set_dates(
        self, person: str, valid_from: date | None, valid_until: date | None, *, actor: str
    ) -> Person:
        if person not in self.people:
            raise NotFound(f"there is no {person}", "add them first", field="person")
        self.actors.append(actor)
        found = replace(self.people[person], valid_from=valid_from, valid_until=valid_until)
        self.people[person] = found
        return found

    async def add_card(self, uid: bytes, person: str, *, actor: str) -> Card:
        if person not in self.people:
            raise NotFound(f"there is no person {person!r}", "add them first", field="person")
        tail = "code" if codes.is_code(uid) else uid.hex()[-4:]
        self.cards[uid] = Card(len(self.cards) + 1, tail, person, False, datetime.now(UTC))
        return self.cards[uid]

    async def add_code(
        self, person: str, code: str | None = None, *, actor: str
    ) -> tuple[Card, str]:
        digits = "4711" if code is None else code
        uid = typed_codes.parse(digits)
        self.actors.append(actor)
        return await self.add_card(uid, person, actor=actor), digits

    async def revoke_codes(self, person: str, *, actor: str) -> tuple[Card, ...]:
        mine = [uid for uid, card in self.cards.items() if card.person == person]
        held = [uid for uid in mine if codes.is_code(uid) and not self.cards[uid].revoked]
        if not held:
            raise NotFound(f"{person} has no code", "look who has which", field="person")
        return tuple([await self.revoke_card(uid, actor=actor) for uid in held])

    async def revoke_card(self, uid: bytes, *, actor: str) -> Card:
        if uid not in self.cards:
            raise NotFound(
                "there is no such card", "`doorward people list` shows them all", field="uid"
            )
        self.cards[uid] = replace(self.cards[uid], revoked=True)
        return self.cards[uid]

    async def levels(self) -> tuple[Level, ...]:
        return (Level(1, "Members", (LevelGrant("front", "Front door", "always"),)),)


class FakeAccess:
    def __init__(self, doors: FakeDoors) -> None:
        self._doors = doors

    def why(self, uid: bytes, door: str, at: datetime | None = None) -> Explanation:
        view = self._doors.get(door)
        step = Step(3, "unknown-credential", "Nobody has this card.", passed=False)
        when = at or datetime.now(UTC)
        tail = uid.hex()[-4:]
        return Explanation(
            "deny", 3, step.name, step.sentence, (step,), None, tail, view.id, view.name, when
        )

    def why_code(self, digits: str, door: str, at: datetime | None = None) -> Explanation:
        return self.why(typed_codes.credential(digits), door, at)

    def card_of(self, person: str, tail: str | None = None) -> bytes:
        return bytes.fromhex("04a10000" if tail is None else f"04a1{tail}")


class FakeAuth:
    """One operator, `admin`, unless the site is new; three wrong passwords make it wait.

    What the operator may do is that of `role`, or `permissions` when they are set.
    """

    def __init__(self, *, new: bool = False, link_only: bool = False) -> None:
        self._new = new
        self._link_only = link_only
        self._failed = 0
        self.role = permissions.ADMIN
        self.permissions: frozenset[str] | None = None
        self.fresh = True
        self._links = {ONE_TIME}
        self.sessions: dict[str, Session] = {}

    def needs_setup(self) -> bool:
        return self._new

    def has_operators(self) -> bool:
        return not self._new and not self._link_only

    def _begin(self, username: str) -> str:
        token = f"session-{len(self.sessions)}-{username}"
        until = datetime.now(UTC) + timedelta(hours=12)
        csrf = f"csrf-{len(self.sessions)}"
        self.sessions[token] = Session(
            username, csrf, until, self.role, self._allowed(), fresh=True
        )
        return token

    async def setup(
        self, token: str, username: str, password: str, address: str = "", agent: str = ""
    ) -> str:
        if token != SETUP_TOKEN:
            raise NotSignedIn(
                "the setup token is wrong",
                "copy it from where the gateway was started",
                field="token",
            )
        if len(password) < 12:
            raise InvalidInput(
                "the password is too short", "use at least 12 characters", field="password"
            )
        self._new = False
        return self._begin(username)

    async def login(self, username: str, password: str, address: str, agent: str = "") -> str:
        if self._failed >= 3:
            raise TooManyAttempts("too many failed attempts", "wait a minute", retry_after=60)
        if (username, password) != ("admin", PASSWORD):
            self._failed += 1
            raise NotSignedIn("the name or the password is wrong", "try again")
        return self._begin(username)

    async def answer(self, ticket: str, code: str, address: str, agent: str = "") -> str:
        raise NotSignedIn("that took too long", "sign in again")

    async def confirm(self, token: str, proof: str, address: str) -> None:
        if proof != PASSWORD:
            raise NotSignedIn("that is not your password", "try again", field="proof")
        self.fresh = True

    async def enter(self, one_time_token: str, address: str = "", agent: str = "") -> str:
        if one_time_token not in self._links:
            raise NotSignedIn("this link was used already", "start the demo again for a new one")
        self._links.discard(one_time_token)
        return self._begin("demo")

    def _allowed(self) -> frozenset[str]:
        return permissions.SHIPPED[self.role] if self.permissions is None else self.permissions

    def session(self, token: str, *, use: bool = True) -> Session | None:
        known = self.sessions.get(token)
        allowed = self._allowed()
        return known and replace(known, role=self.role, permissions=allowed, fresh=self.fresh)

    async def logout(self, token: str) -> None:
        self.sessions.pop(token, None)


class FakeAuthority:
    """A CA that signs nothing."""

    def certificate(self) -> bytes:
        return ssl.DER_cert_to_PEM_cert(b"a certificate").encode()


class FakeMonitor:
    async def snapshot(self) -> Health:
        return Health("0.0", datetime.now(UTC), "/nowhere", (HealthCheck("store", True, "open"),))


class FakeSite:
    """Cards and boards; a granted tap releases the strike, and the tests say when it locks again."""

    def __init__(self, house: "FakeHouse") -> None:
        self._house = house
        self.taps: list[tuple[str, str]] = []
        self.hands: list[tuple[str, str]] = []

    def cards(self) -> tuple[SiteCard, ...]:
        return tuple(
            SiteCard(key, f"{name}, {key}" if name else "A card nobody knows", tail)
            for key, (name, tail, _, _) in CARDS.items()
        )

    async def boards(self) -> tuple[SiteBoard, ...]:
        doors = self._house.doors.list()
        parts = ("contact", "reader")
        return tuple(
            SiteBoard(door.id, door.id, door.name, True, door.contact, parts) for door in doors
        )

    async def key(self, board: str, keys: str) -> None:
        self.hands.append((board, keys))

    async def press(self, board: str, part: str) -> None:
        self.hands.append((board, part))

    async def pull(self, board: str, is_pulled: bool) -> None:
        self.hands.append((board, f"pull {is_pulled}"))

    async def faults(self) -> dict[str, str]:
        return {"rex-shorted": "the exit button is pressed for ever"}

    async def fault(self, board: str, name: str, is_broken: bool) -> None:
        self.hands.append((board, f"{name} {is_broken}"))

    async def motion(self, board: str, is_there: bool) -> None:
        self.hands.append((board, str(is_there)))

    def number(self, card: str) -> bytes:
        return bytes.fromhex("04a1" + CARDS[card][1]) if card in CARDS else parse_uid(card, "card")

    async def tap(self, door: str, card: str) -> None:
        if card not in CARDS:
            raise NotFound(f"there is no card {card!r}", "take one of the site", field="card")
        self.taps.append((door, card))
        view = self._house.doors.get(door)
        person, tail, granted, why = CARDS[card]
        self._house.record(
            kind="access.decision", door_id=view.id, door_name=view.name, person=person,
            card_tail=tail, granted=granted, rule=1, why=why, source="gateway",
        )  # fmt: skip
        if granted:
            self._house.set_door(view.id, locked=False)

    async def contact(self, door: str, is_open: bool) -> None:
        view = self._house.doors.get(door)
        contact: Contact = "open" if is_open else "closed"
        kind = "door.open" if is_open else "door.closed"
        self._house.record(kind=kind, door_id=view.id, door_name=view.name, source="board")
        self._house.set_door(view.id, contact=contact)


class FakeHouse:
    """All services, wired, with the doors given."""

    def __init__(
        self,
        *doors: DoorView,
        demo: bool = False,
        new: bool = False,
        link_only: bool = False,
        kept: int = 100,
    ) -> None:
        self.feed = FakeFeed(kept)
        self.history = FakeHistory()
        self.trail = FakeTrail()
        self.doors = FakeDoors(self)
        self.doors.views = {door.id: door for door in doors}
        self.people = FakePeople()
        self.holidays = FakeHolidays()
        self.fixtures = FakeFixtures(self)
        self.devices = FakeDevices(self)
        self.selftests = FakeSelfTests(self)
        self.auth = FakeAuth(new=new, link_only=link_only)
        # What an operator may change is the application's own, over a store in memory.
        self.desk = Desk()
        self.broker = FakeBroker()
        self.site = FakeSite(self) if demo else None
        self.traffic = FakeTraffic()
        self.services = Services(
            people=self.people,
            holidays=self.holidays,
            doors=self.doors,
            releases=self.doors,
            lights=self.fixtures,
            sensors=self.fixtures,
            devices=self.devices,
            selftests=self.selftests,
            adoptions=self.devices,
            firmware=self.devices.firmware,
            updates=self.devices.updates,
            access=FakeAccess(self.doors),
            history=self.history,
            trail=self.trail,
            auth=self.auth,
            account=self.desk.account,
            operators=self.desk.operators,
            tokens=self.desk.tokens,
            feed=self.feed,
            authority=FakeAuthority(),
            broker=self.broker.desk(),
            health=FakeMonitor(),
            mqtt=MqttDesk("doorward", self.traffic, lambda device: device == "front"),
            site=self.site,
        )

    def record(self, *, kind: str, at: datetime | None = None, **values: object) -> AuditEntry:
        """Write an audit entry, and tell."""
        number = len(self.history.entries) + 1
        entry = AuditEntry(number, at or datetime.now(UTC), kind, **values)  # type: ignore[arg-type]  # as its fields
        self.history.entries.append(entry)
        if entry.door_id in self.doors.views:
            self.doors.views[entry.door_id] = replace(self.doors.views[entry.door_id], last=entry)
        self.feed.publish("event", entry)
        return entry

    def set_door(self, door: str, **changes: object) -> None:
        """Change what is known of a door, and tell."""
        self.doors.views[door] = replace(self.doors.views[door], **changes)  # type: ignore[arg-type]  # ditto
        self.feed.publish("door", self.doors.views[door])

    def finish_release(self, door: str, state: str) -> None:
        """Let a release come to its end, and tell."""
        release = self.doors.views[door].release
        assert release is not None
        over = replace(release, state=state)  # type: ignore[arg-type]  # ditto
        if state == "opened":  # what the board tells first
            self.doors.views[door] = replace(self.doors.views[door], locked=False)
        self.doors.views[door] = replace(self.doors.views[door], release=over)
        self.feed.publish("release", over)
