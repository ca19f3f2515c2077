"""Changes come from our own pages only: every unsafe request shows a token and the Origin it comes from.

Behind a login the token belongs to the session. Before there is one (login, setup, one-time link) it belongs to a
cookie that the form's page set: another site can neither read nor write it.
"""

import secrets
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from doorward.errors import DoorwardError
from doorward.web.context import WebDep
from doorward.web.session import FoundSession, api_token, cookie_name

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "x-csrf-token"
FIELD = "csrf"


class Refused(DoorwardError):
    """The request does not come from a page of ours."""

    code = "forbidden"


def _check_origin(request: Request) -> None:
    origin = request.headers.get("origin", "")
    if not origin or urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused("the request does not come from this site", "reload the page and try again")


async def _sent_token(request: Request) -> str:
    header = request.headers.get(HEADER)
    if header is not None:
        return header
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        sent = (await request.form()).get(FIELD)
        return sent if isinstance(sent, str) else ""
    return ""


async def _check(request: Request, expected: str | None) -> None:
    _check_origin(request)
    sent = await _sent_token(request)
    if not expected or not secrets.compare_digest(sent.encode(), expected.encode()):
        raise Refused("the form is out of date", "reload the page and try again")


def _form_cookie(request: Request) -> str:
    return cookie_name(request) + "_form"


def give_form_token(request: Request) -> str:
    """The token for a form that needs no login: the browser's own one, or a new one for `keep_form_token`."""
    return request.cookies.get(_form_cookie(request)) or secrets.token_urlsafe(24)


def keep_form_token(request: Request, response: Response, token: str) -> None:
    """Leave the token with the browser."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        _form_cookie(request), token, httponly=True, samesite="strict", secure=secure
    )


async def guard_form(request: Request) -> None:
    """Refuse a change that does not come from a form of ours, where nobody is signed in yet."""
    if request.method not in SAFE_METHODS:
        await _check(request, request.cookies.get(_form_cookie(request)))


async def guard_session(request: Request, web: WebDep, session: FoundSession) -> None:
    """Refuse a change that does not come from a page of this session.

    On the local socket there is no browser, and none sends a program's token by itself.
    """
    if request.method not in SAFE_METHODS and not web.local and api_token(request) is None:
        await _check(request, session.csrf if session else None)
