"""Who may use a route. Every route declares one of `needs`, `SIGNED_IN` or `PUBLIC`; a test asks the router for each.

Whoever opens the local socket may do everything: its file's permissions are the authority.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Depends, Request

from doorward.app.services.site import Doors
from doorward.app.views.access import DoorView
from doorward.app.views.operators import Session
from doorward.domain import permissions
from doorward.errors import FreshLoginNeeded, NotPermitted
from doorward.web.context import Web
from doorward.web.session import Calling, api_token, session_token


@dataclass(frozen=True, slots=True)
class Needs:
    """A dependency that lets nobody pass whose role does not hold `permission`."""

    permission: str

    async def __call__(self, caller: Calling) -> None:
        if not caller.may(self.permission):
            raise NotPermitted(
                f"your role does not allow this ({self.permission})", "ask an administrator"
            )


def needs(permission: str) -> Any:
    """Declare what a route needs: `@router.get("/doors", dependencies=[needs(DOORS_SEE)])`."""
    if permission not in permissions.ALL:
        raise ValueError(permission)
    return Depends(Needs(permission))


async def _signed_in(caller: Calling) -> None:
    """Anybody who is signed in, whatever their role: for what concerns themselves alone."""


async def _public() -> None:
    """Anybody at all."""


async def fresh(caller: Calling) -> None:
    """Raise FreshLoginNeeded for a session that has shown no password for a while, and for every program."""
    if not caller.fresh:
        raise FreshLoginNeeded(
            "this asks for your password once more", "confirm it, then try again"
        )


async def fresh_or_unattended(caller: Calling) -> None:
    """As `fresh`, but for a program that was made to open doors with nobody there to confirm."""
    if not caller.unattended:
        await fresh(caller)


def still_may(request: Request, web: Web, permission: str) -> Callable[[], bool]:
    """Whether whoever made this request may do that at the moment at which it is asked: for answers without end."""
    program, session = api_token(request), session_token(request) or ""

    def may() -> bool:
        if web.streams.closed:
            return False
        if web.local:
            return True
        if program is not None:
            holder = web.services.tokens.find(program)
            return holder is not None and permission in holder.permissions
        now = web.services.auth.session(session, use=False)
        return now is not None and now.may(permission)

    return may


SIGNED_IN: Any = Depends(_signed_in)
PUBLIC: Any = Depends(_public)
FRESH: Any = Depends(fresh)
"""Beside one of the others: whoever asks has shown a password or a code in the last minutes."""
FRESH_OR_UNATTENDED: Any = Depends(fresh_or_unattended)
"""The same, or a program that was made to open doors with nobody there to confirm."""


def seen_by(who: Session, door: DoorView) -> DoorView:
    """The door without what this role may not see: who passed last is of the audit."""
    return _without(door, who.permissions)


def doors_seen_by(allowed: frozenset[str], doors: Doors) -> tuple[DoorView, ...]:
    """Every door, as a role with these permissions may see it."""
    return tuple(_without(door, allowed) for door in doors.list())


def _without(door: DoorView, allowed: frozenset[str]) -> DoorView:
    if permissions.AUDIT_SEE in allowed:
        return door
    release = door.release if permissions.DOORS_OPEN in allowed else None
    return replace(door, last=None, release=release)
