"""What the page, the API and the command line can ask of the application.

Each protocol is one noun. Errors are `doorward.errors` leaves: InvalidInput and NotFound for what was asked, Conflict
when it stands already, Unavailable when a board or the store is away, NotSignedIn and TooManyAttempts for people.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from doorward.app.account_views import (
    Enrolment,
    Operator,
    OwnAccount,
    OwnSession,
    RoleView,
    Session,
    TokenHolder,
    TokenView,
)
from doorward.app.broker_views import (
    BrokerEntry,
    BrokerFigures,
    BrokerRule,
    BrokerSynced,
    BrokerUser,
    BrokerVerdict,
    Granted,
)
from doorward.app.device_doors import DoorOrder
from doorward.app.devices import Adopted, AdoptionOrder
from doorward.app.mqtt_services import MqttAccess
from doorward.app.views import (
    AuditEntry,
    AuditVerdict,
    BoardView,
    Card,
    DoorView,
    Explanation,
    FeedItem,
    Health,
    Level,
    Person,
    Release,
    SiteBoard,
    SiteCard,
)


class People(Protocol):
    """Persons, their cards and their access levels. Every change acts at once and is in the audit."""

    async def list(self) -> tuple[Person, ...]: ...

    async def add(self, name: str, levels: Sequence[str] = (), *, actor: str) -> Person:
        """Add a person with these access levels, by name."""

    async def add_card(self, uid: bytes, person: str, *, actor: str) -> Card:
        """Give a card of 4, 7 or 10 bytes to the person of that name."""

    async def revoke_card(self, uid: bytes, *, actor: str) -> Card: ...

    async def levels(self) -> tuple[Level, ...]: ...


class Doors(Protocol):
    """The doors as last heard of."""

    def list(self) -> tuple[DoorView, ...]: ...

    def get(self, door: str) -> DoorView:
        """The door with this id, or with this name in any case."""


class Releases(Protocol):
    """Opening a door from afar."""

    async def open(self, door: str, actor: str) -> Release:
        """Ask the board to open once. Returns after the audit row is committed; the state is `unknown`.

        Raises Unavailable when the board is offline: a release is never kept for later.
        """


class Access(Protocol):
    """The rules, asked instead of lived."""

    def why(self, uid: bytes, door: str, at: datetime | None = None) -> Explanation:
        """What would happen, and by which rule. at None = now; without a zone it is the door's local time."""

    def card_of(self, person: str, tail: str | None = None) -> bytes:
        """The UID of this person's card; `tail` (its last digits) chooses among several."""


class History(Protocol):
    """The audit, newest first."""

    async def recent(
        self, limit: int = 50, before: int | None = None, door: str | None = None
    ) -> tuple[AuditEntry, ...]:
        """At most `limit` (1–500) entries with an id below `before`, of one door or of all."""


class Trail(Protocol):
    """The audit as a whole: whether it is what was written, and to take along."""

    async def verify(self) -> AuditVerdict:
        """Look at every row. For a million rows that takes seconds."""

    async def export(
        self, form: str, since: datetime | None, until: datetime | None, *, actor: str
    ) -> Iterator[bytes]:
        """The rows of a time as `jsonl` or `csv`, signed; who takes them along is on record. Blocking to iterate."""


class Auth(Protocol):
    """Signing in. Session tokens are opaque; the store knows only their hash. address and agent: where from."""

    def needs_setup(self) -> bool:
        """True until the first operator exists."""

    def has_operators(self) -> bool:
        """True if somebody has a password here."""

    async def setup(
        self, token: str, username: str, password: str, address: str = "", agent: str = ""
    ) -> str:
        """Make the first operator with the one-time setup token; returns a session token."""

    async def login(self, username: str, password: str, address: str, agent: str = "") -> str:
        """Trade a password for a session token, or raise SecondFactorNeeded."""

    async def answer(self, ticket: str, code: str, address: str, agent: str = "") -> str:
        """Trade the ticket of SecondFactorNeeded and a code for a session token."""

    async def enter(self, one_time_token: str, address: str = "", agent: str = "") -> str:
        """Trade the demo's one-time link for a session token."""

    def session(self, token: str, *, use: bool = True) -> Session | None:
        """The session behind a token, None when there is none or it is over. `use`: somebody is there."""

    async def confirm(self, token: str, proof: str, address: str) -> None:
        """Show a password or a code again: the session is fresh from now on."""

    async def logout(self, token: str) -> None: ...


class OwnAccounts(Protocol):
    """One's own account. Every change of who one must be ends all sessions, and returns the token of a new one."""

    def show(self, username: str) -> OwnAccount: ...

    def sessions(self, username: str, token: str) -> tuple[OwnSession, ...]: ...

    async def end_session(self, username: str, session_id: str) -> None: ...

    async def change_password(
        self, username: str, old: str, new: str, address: str, agent: str
    ) -> str: ...

    def offer_second_factor(self, username: str, site: str) -> Enrolment:
        """A seed to put into an app."""

    async def take_second_factor(
        self, username: str, code: str, address: str, agent: str
    ) -> tuple[str, tuple[str, ...]]:
        """Confirm the offered seed by a code; returns a token and the recovery codes."""

    async def drop_second_factor(self, username: str, address: str, agent: str) -> str: ...


class Operators(Protocol):
    """Who may sign in, and as what."""

    def list(self) -> tuple[Operator, ...]: ...

    def roles(self) -> tuple[RoleView, ...]: ...

    async def add(self, username: str, password: str, role: str, *, actor: str) -> Operator: ...

    async def set_password(self, username: str, password: str, *, actor: str) -> Operator: ...

    async def set_role(self, username: str, role: str, *, actor: str) -> Operator: ...

    async def unlock(self, username: str, *, actor: str) -> Operator: ...

    async def remove(self, username: str, *, actor: str) -> None: ...

    async def set_permissions(self, role: str, held: Iterable[str], *, actor: str) -> RoleView: ...


class Tokens(Protocol):
    """Programs' tokens."""

    async def add(
        self,
        owner: str,
        name: str,
        scopes: Iterable[str],
        days: int,
        *,
        unattended: bool = False,
        actor: str,
    ) -> tuple[str, TokenView]:
        """Make a token; its text is told this once."""

    def list(self, owner: str | None = None) -> tuple[TokenView, ...]: ...

    def find(self, text: str) -> TokenHolder | None:
        """Who comes with this token; None when it is none."""

    async def revoke(self, token_id: int, *, actor: str, owner: str | None = None) -> TokenView: ...
    async def revoke_all(self, owner: str, *, actor: str) -> None: ...


class Devices(Protocol):
    """The boards of the site. Every change acts at once and is in the audit."""

    def list(self) -> tuple[BoardView, ...]: ...

    def get(self, device: str) -> BoardView: ...

    async def approve(self, device: str, order: DoorOrder, *, actor: str) -> BoardView:
        """Trust a board that has announced itself with a door."""

    async def revoke(self, device: str, *, actor: str) -> BoardView:
        """Shut a board out for good; it is so when this returns."""

    async def rekey(self, device: str, *, actor: str) -> int:
        """Give a connected board a new key; returns the key's number once the board has used it."""


class Adopting(Protocol):
    """Making a board's secrets. Offered on the local socket alone."""

    async def adopt(self, order: AdoptionOrder, *, actor: str) -> Adopted:
        """What this returns is given out once."""


class Subscription(Protocol):
    """A live view of the feed. It ends when it is closed or when its reader is too slow to keep up."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> FeedItem: ...

    def close(self) -> None: ...


class Feed(Protocol):
    """What happens, as it happens."""

    @property
    def position(self) -> int:
        """The number of the newest item; 0 before the first."""

    def subscribe(self, after: int | None = None) -> Subscription:
        """Listen from now on; with `after`, first what came after that item, as far as it is kept."""


class Site(Protocol):
    """The virtual site of the demo."""

    def cards(self) -> tuple[SiteCard, ...]: ...

    async def boards(self) -> tuple[SiteBoard, ...]: ...

    def number(self, card: str) -> bytes:
        """The UID of the card with this key, or the UID that this is in hex."""

    async def tap(self, door: str, card: str) -> None:
        """Hold the card with this key, or this UID in hex, into the reader of the door."""

    async def contact(self, door: str, is_open: bool) -> None:
        """Move the door leaf."""


class BrokerAdministration(Protocol):
    """Who may come to the broker and what they may do there. Every change acts at once, on live connections too."""

    @property
    def feed(self) -> Feed:
        """The log as it is written: each item holds a `BrokerEntry`, under its number."""

    @property
    def log_elsewhere(self) -> str:
        """Where the log is when another program keeps it, as a next step; what is here are changes alone then."""

    def users(self) -> tuple[BrokerUser, ...]: ...

    async def check_user(self, name: str, roles: Sequence[str]) -> None:
        """Raise what `add_user` would raise, whatever the password."""

    async def add_user(
        self, name: str, password: str, roles: Sequence[str], *, actor: str
    ) -> BrokerUser: ...

    async def set_password(self, name: str, password: str, *, actor: str) -> BrokerUser:
        """Its connections end; who has the new password comes back with it."""

    async def set_roles(self, name: str, roles: Sequence[str], *, actor: str) -> BrokerUser: ...

    async def remove_user(self, name: str, *, actor: str) -> None:
        """Its connections end, with its sessions and its own rules."""

    def roles(self) -> tuple[str, ...]:
        """Every role that is shipped, or that a rule names."""

    def rules(self) -> tuple[BrokerRule, ...]:
        """What is built in first."""

    async def grant(self, rule: BrokerRule, *, actor: str) -> Granted:
        """Add a rule, or widen the one for the same subject, effect and filter."""

    async def revoke(self, rule: BrokerRule, *, actor: str) -> BrokerRule:
        """Take a rule back as far as its action goes; returns what is gone."""

    def explain(
        self, principal: str, action: str, topic: str, client: str | None = None
    ) -> BrokerVerdict:
        """Whether this principal may do that, and by which rule. client: a user's client id, its name by default."""

    async def log(
        self,
        limit: int = 50,
        *,
        action: str | None = None,
        principal: str | None = None,
        before: int | None = None,
        after: int | None = None,
    ) -> tuple[BrokerEntry, ...]:
        """At most `limit` (1-500) entries, newest first; with `after` those at hand that are newer, oldest first."""

    def figures(self) -> BrokerFigures: ...


class OutsideBroker(Protocol):
    """A broker of its own process, to which the accounts of this site are written."""

    async def sync(self) -> BrokerSynced:
        """Look at all accounts, and correct those that differ. Raises Unavailable."""


class Monitor(Protocol):
    """The gateway's view of its own health."""

    async def snapshot(self) -> Health: ...


class Authority(Protocol):
    """The site's own CA, as far as everybody may know it."""

    def certificate(self) -> bytes:
        """Its certificate, PEM."""


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
    doors: Doors
    releases: Releases
    devices: Devices
    adoptions: Adopting
    access: Access
    history: History
    trail: Trail
    auth: Auth
    account: OwnAccounts
    operators: Operators
    tokens: Tokens
    feed: Feed
    authority: Authority
    health: Monitor
    mqtt: MqttAccess
    broker: BrokerAdministration | None = None
    site: Site | None = None
    outside: OutsideBroker | None = None  # with Mosquitto alone
