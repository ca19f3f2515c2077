"""Who is asking: the session cookie, and what happens without one."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from doorward.app.views import Session
from doorward.domain import permissions
from doorward.errors import NotSignedIn
from doorward.web.context import WebDep

LOCAL_ACTOR = "local"


def cookie_name(request: Request) -> str:
    """Browsers share cookies between the ports of a host; two gateways on one machine must not."""
    server = request.scope.get("server")
    port = server[1] if server and server[1] else 0
    return f"doorward_{port}"


def session_token(request: Request) -> str | None:
    """The opaque token that the browser carries."""
    return request.cookies.get(cookie_name(request))


def remember(request: Request, response: Response, token: str) -> None:
    """Give the browser its session. It goes when the browser does; the gateway may end it sooner."""
    response.set_cookie(
        cookie_name(request),
        token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def forget(request: Request, response: Response) -> None:
    """Take the session cookie back."""
    response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict")


def find_session(request: Request, web: WebDep) -> Session | None:
    """The session of this request, None without a valid one."""
    token = session_token(request)
    return web.services.auth.session(token) if token else None


FoundSession = Annotated[Session | None, Depends(find_session)]


def signed_in(session: FoundSession) -> Session:
    """The session of this request; raises NotSignedIn without one."""
    if session is None:
        raise NotSignedIn("you are not signed in", "sign in at /login")
    return session


SignedIn = Annotated[Session, Depends(signed_in)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do: the operator of the session, or whoever may open the local socket."""

    name: str
    permissions: frozenset[str]

    def may(self, permission: str) -> bool:
        """Whether this caller may do that right now."""
        return permission in self.permissions


def calling(web: WebDep, session: FoundSession) -> Caller:
    """Tell who asks; raises NotSignedIn when nobody says so."""
    if web.local:
        return Caller(LOCAL_ACTOR, permissions.ALL)
    known = signed_in(session)
    return Caller(known.username, known.permissions)


Calling = Annotated[Caller, Depends(calling)]


def actor(caller: Calling) -> str:
    """The name under which a change is recorded."""
    return caller.name


Actor = Annotated[str, Depends(actor)]
