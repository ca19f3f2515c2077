"""Tokens for programs: 256 random bits, of which the SHA-256 is kept, with a part of what their owner may do."""

from collections.abc import Iterable

from doorward.app.names import LONGEST_SHORT, clean_name
from doorward.app.operators import opaque
from doorward.app.operators.accounts import Accounts, key
from doorward.app.operators.log import OperatorLog
from doorward.app.ports import Clock, OperatorStore
from doorward.app.records import Account, ApiToken
from doorward.app.views.operators import TokenHolder, TokenView
from doorward.domain import audit, permissions
from doorward.domain.instants import instant, milliseconds
from doorward.errors import InvalidInput, NotFound

_MARK = "dw_"
_SHOWN = len(_MARK) + 6
_MOST_DAYS = 3650
_DAY_MS = 24 * 3600 * 1000
_KEEP_EVERY_MS = 60_000  # how exactly the store knows when a token was used last


class ApiTokens:
    """Makes tokens, knows them again, and takes them back."""

    def __init__(
        self, store: OperatorStore, accounts: Accounts, log: OperatorLog, clock: Clock
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._log = log
        self._clock = clock
        self._tokens = {token.digest: token for token in store.api_tokens()}

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
        """Make a token; its text is told this once. `unattended`: it may open doors with nobody there to confirm."""
        account = self._accounts.get(owner)
        label = clean_name(name, "name", LONGEST_SHORT)
        if not 1 <= days <= _MOST_DAYS:
            raise InvalidInput(
                f"{days} days is out of range", f"give 1 to {_MOST_DAYS}", field="days"
            )
        wanted = self._checked(account, frozenset(scopes), unattended=unattended)
        text = _MARK + opaque.make()
        now_ms = milliseconds(self._clock.now())
        token = ApiToken(
            id=0,
            digest=opaque.digest(text),
            prefix=text[:_SHOWN],
            owner=account.username,
            name=label,
            scopes=wanted,
            unattended=unattended,
            added_ms=now_ms,
            expires_ms=now_ms + days * _DAY_MS,
        )
        why = f"{account.username} has a token {label} ({token.prefix}…)."
        row = self._log.row(audit.TOKEN_ADDED, actor, why, ", ".join(sorted(wanted)))
        kept, stored = await self._store.add_token(token, row)
        self._tokens[kept.digest] = kept
        self._log.announce(stored)
        return text, self._view(kept)

    def list(self, owner: str | None = None) -> tuple[TokenView, ...]:
        """The tokens of an operator, or of all."""
        return tuple(
            self._view(token)
            for token in sorted(self._tokens.values(), key=lambda token: token.id)
            if owner is None or key(token.owner) == key(owner)
        )

    def find(self, text: str) -> TokenHolder | None:
        """Who comes with this token, and what they may do now: never more than its owner. None when it is none."""
        if not text.startswith(_MARK) or not text.isascii():
            return None
        token = self._tokens.get(opaque.digest(text))
        now_ms = milliseconds(self._clock.now())
        owner = self._accounts.find(token.owner) if token else None
        if token is None or owner is None or token.expires_ms <= now_ms:
            return None
        if now_ms - (token.used_ms or 0) >= _KEEP_EVERY_MS:
            token.used_ms = now_ms
            self._store.touch_token(token.id, now_ms)
        allowed = token.scopes & self._accounts.permissions(owner)
        return TokenHolder(f"{owner.username} ({token.name})", allowed, token.unattended)

    async def revoke(self, token_id: int, *, actor: str, owner: str | None = None) -> TokenView:
        """Take a token back; with `owner` only one of theirs. It is worth nothing from now on."""
        for token in self._tokens.values():
            if token.id == token_id and (owner is None or key(token.owner) == key(owner)):
                break
        else:
            raise NotFound(
                "there is no such token", "`doorward token list` shows them all", field="id"
            )
        del self._tokens[token.digest]
        why = f"The token {token.name} ({token.prefix}…) of {token.owner} was revoked."
        row = self._log.row(audit.TOKEN_REVOKED, actor, why)
        self._log.announce(await self._store.drop_token(token.id, row))
        return self._view(token)

    async def revoke_all(self, owner: str, *, actor: str) -> None:
        """Take all tokens of an operator back."""
        for token in self.list(owner):
            await self.revoke(token.id, actor=actor)

    def forget(self, owner: str) -> None:
        """An operator is gone, and their rows with them."""
        self._tokens = {d: t for d, t in self._tokens.items() if key(t.owner) != key(owner)}

    def _checked(
        self, account: Account, wanted: frozenset[str], *, unattended: bool
    ) -> frozenset[str]:
        """These scopes; raises InvalidInput for such as their owner does not hold, or that do not go together."""
        excess = sorted(wanted - self._accounts.permissions(account))
        if excess or not wanted:
            held = ", ".join(sorted(self._accounts.permissions(account))) or "nothing"
            problem = (
                f"{account.username} does not hold {excess[0]}" if excess else "no scope is named"
            )
            raise InvalidInput(problem, f"choose from: {held}", field="scopes")
        if unattended and permissions.DOORS_OPEN not in wanted:
            raise InvalidInput(
                "unattended is about opening doors", "add the scope doors.open", field="unattended"
            )
        return wanted

    @staticmethod
    def _view(token: ApiToken) -> TokenView:
        return TokenView(
            token.id,
            token.prefix,
            token.owner,
            token.name,
            tuple(sorted(token.scopes)),
            token.unattended,
            instant(token.added_ms),
            instant(token.expires_ms),
            instant(token.used_ms) if token.used_ms else None,
        )
