"""What can be asked about who signs in, by a password or by a program's token; errors as in `services`."""

from collections.abc import Iterable
from typing import Protocol

from doorward.app.views.operators import (
    Enrolment,
    Operator,
    OwnAccount,
    OwnSession,
    RoleView,
    Session,
    TokenHolder,
    TokenView,
)


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
