"""The users and rules of broker.db as accounts and roles of Mosquitto."""

import asyncio
import hashlib
from collections.abc import Callable

from doorward.adapters.mosquitto.grants import Grant
from doorward.adapters.mosquitto.keeper import Keeper
from doorward.broker import Policy, Principal, Principals
from doorward.broker.rights.acl import Acl
from doorward.errors import Conflict, Unavailable

_PROOF = "doorward: password "
_EACH_ALONE = 20  # beyond, one look at all accounts takes less time than asking for each


class MosquittoUsers:
    """What the broker's desk tells Mosquitto. Of a password it keeps nothing: Mosquitto is told it once."""

    log = "see `doorward broker mosquitto logs`"

    def __init__(
        self,
        acl: Acl,
        principals: Principals,
        policy: Policy,
        keeper: Keeper,
        later: Callable[[], None],
    ) -> None:
        """`later` has all accounts looked at soon: for what Mosquitto could not be told."""
        self._acl = acl
        self._principals = principals
        self._policy = policy
        self._keeper = keeper
        self._later = later

    def want(self) -> None:
        """From the next look at all accounts on these users have these rights, and no others."""
        for user in self._acl.users():
            self._keeper.want(self._grant(user))

    def needs_password(self, name: str) -> bool:
        return name in self._keeper.unproven

    async def check_new(self, name: str) -> None:
        if await asyncio.to_thread(self._keeper.is_anothers, name):
            raise Conflict(
                f"somebody made an account {name} on Mosquitto, with its own tools",
                "choose another name, or delete that account",
                field="name",
            )

    async def tell(self, name: str | None = None, password: str | None = None) -> None:
        """Whatever differs from what is wanted so far. Raises Unavailable; it is told later then."""
        before = self._keeper.users
        now = {user.name: self._grant(user) for user in self._acl.users()}
        changed = {one for one, grant in now.items() if before.get(one) != grant}
        for one in changed:
            self._keeper.want(now[one])
        gone = before.keys() - now.keys()
        try:
            for one in gone:
                await asyncio.to_thread(self._keeper.dismiss, one)
            if name is not None:
                await asyncio.to_thread(self._keeper.renew, [name], password)
            rest = sorted(changed - {name})
            if len(rest) > _EACH_ALONE:
                await asyncio.to_thread(self._keeper.sync)
            elif rest:
                await asyncio.to_thread(self._keeper.renew, rest)
        except Unavailable as error:
            self._later()
            again = "; a password has to be given again then" if password else ""
            raise Unavailable(
                f"it is kept, but Mosquitto was not told ({error.problem})",
                "it acts when Mosquitto answers" + again,
            ) from error

    def _grant(self, user: Principal) -> Grant:
        # The hash has a salt of its own: another password, or the same one anew, is another proof.
        hashed = self._principals.hash_of(user.name) or ""
        proof = _PROOF + hashlib.sha256(hashed.encode()).hexdigest()[:32]
        return Grant(user.name, *self._policy.rights(user), proof=proof)
