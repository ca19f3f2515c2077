"""Who is asking: the session cookie, and what happens without one.

What routes depend on is `async` though nothing waits: anything else would be called in a thread of its own each time.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from doorward.app.views.operators import Session
from doorward.domain import permissions
from doorward.errors import NotSignedIn
from doorward.web.context import Web, WebDep

LOCAL_ACTOR = "local"
_SCHEME = "bearer "


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


def for_programs(request: Request) -> bool:
    """True for the paths that programs use, and pages do not."""
    return request.url.path.startswith("/api/") or request.url.path == "/metrics"


def api_token(request: Request) -> str | None:
    """The program's token of a request to the API. With one nothing else counts: a cookie beside it is not looked at.

    No other site's page can make a browser send this header, so neither CSRF token nor Origin is asked for.
    """
    told = request.headers.get("authorization")
    if told is None or not for_programs(request):
        return None
    return told[len(_SCHEME) :].strip() if told.lower().startswith(_SCHEME) else ""


def address_of(request: Request) -> str:
    """Where the request comes from, as far as this machine can tell."""
    return request.client.host if request.client else ""


def agent_of(request: Request) -> str:
    """What the browser calls itself."""
    return request.headers.get("user-agent", "")


def session_of(request: Request, web: Web) -> Session | None:
    """The session of this request, None without a valid one."""
    token = session_token(request)
    if web.local or not token or api_token(request) is not None:
        return None
    return web.services.auth.session(token)


async def find_session(request: Request, web: WebDep) -> Session | None:
    """`session_of`, as a dependency."""
    return session_of(request, web)


FoundSession = Annotated[Session | None, Depends(find_session)]


async def signed_in(session: FoundSession) -> Session:
    """The session of this request; raises NotSignedIn without one."""
    return _there(session)


def _there(session: Session | None) -> Session:
    if session is None:
        raise NotSignedIn("you are not signed in", "sign in at /login")
    return session


SignedIn = Annotated[Session, Depends(signed_in)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do: the operator of the session, a program, or whoever may open the local socket.

    fresh: has shown a password or a code lately, or is one of whom that is not asked. unattended: a program that was
    made to open doors with nobody there to confirm; nothing else that asks for a fresh login is for it.
    """

    name: str
    permissions: frozenset[str]
    fresh: bool
    unattended: bool = False

    def may(self, permission: str) -> bool:
        """Whether this caller may do that right now."""
        return permission in self.permissions


def caller_of(request: Request, web: Web, session: Session | None) -> Caller:
    """Tell who asks; raises NotSignedIn when nobody says so."""
    if web.local:
        return Caller(LOCAL_ACTOR, permissions.ALL, fresh=True)
    token = api_token(request)
    if token is not None:
        return _program(web, token)
    known = _there(session)
    return Caller(known.username, known.permissions, known.fresh)


def _program(web: Web, token: str) -> Caller:
    holder = web.services.tokens.find(token)
    if holder is None:
        raise NotSignedIn(
            "that token is unknown, revoked or over", "make another with `doorward token add`"
        )
    return Caller(holder.name, holder.permissions, fresh=False, unattended=holder.unattended)


async def calling(request: Request, web: WebDep, session: FoundSession) -> Caller:
    """`caller_of`, as a dependency."""
    return caller_of(request, web, session)


Calling = Annotated[Caller, Depends(calling)]


async def actor(caller: Calling) -> str:
    """The name under which a change is recorded."""
    return caller.name


Actor = Annotated[str, Depends(actor)]
