"""Errors, in the shape of whoever asked: JSON for the API, a fragment for htmx, a page for a person."""

from traceback import format_exception
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from doorward.app.views.operators import Session
from doorward.errors import (
    Conflict,
    DoorwardError,
    FreshLoginNeeded,
    InvalidInput,
    NotFound,
    NotPermitted,
    NotSignedIn,
    TooManyAttempts,
    Unavailable,
    one_line,
)
from doorward.web.context import Web, web_of
from doorward.web.csrf import Refused
from doorward.web.session import for_programs, session_of

STATUS: dict[type[DoorwardError], int] = {
    InvalidInput: 422,
    NotFound: 404,
    Conflict: 409,
    NotSignedIn: 401,
    FreshLoginNeeded: 403,
    NotPermitted: 403,
    Refused: 403,
    TooManyAttempts: 429,
    Unavailable: 503,
}
HEADINGS: dict[int | str, str] = {
    Refused.code: "That did not come from here",
    FreshLoginNeeded.code: "Confirm that it is you",
    NotPermitted.code: "That is not yours to do",
    404: "There is nothing here",
    405: "That cannot be done here",
    429: "Too many attempts",
    503: "Not available right now",
}

# Programs know these paths, and their 400 for bad input, from another gateway.
_AS_ELSEWHERE = "/api/v1/mqtt/"

_log = structlog.get_logger(__name__)


def status_of(error: DoorwardError) -> int:
    """The HTTP status of an error. One that blames nobody outside is ours."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def body_of(code: str, message: str, field: str | None = None) -> dict[str, object]:
    """The API's one shape of an error."""
    return {"error": {"code": code, "message": message, "field": field}}


def sentence(error: DoorwardError) -> str:
    """The error as people read it on a page."""
    text = error.message
    return text[:1].upper() + text[1:] + "."


def confirm_dialog(web: Web, session: Session, error: DoorwardError | None = None) -> Response:
    """The small dialog of the live page that asks for a password; a script of ours puts it in its place."""
    html = web.renderer(
        "parts/confirm.html", session=session, next="/", error=sentence(error) if error else ""
    )
    place = {"HX-Retarget": "#confirm", "HX-Reswap": "innerHTML"}
    return HTMLResponse(html, status_of(error) if error else 403, headers=place)


def _confirm_first(request: Request) -> Response | None:
    """Send a person to where they confirm that it is them; a program is told 403."""
    web = web_of(request)
    session = session_of(request, web)
    if session is None or for_programs(request):
        return None
    if request.headers.get("hx-request"):
        return confirm_dialog(web, session)
    back = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/confirm?{urlencode({'next': back})}", 303)


def _answer(
    request: Request, status: int, code: str, message: str, field: str | None = None
) -> Response:
    if for_programs(request):
        if status == 422 and request.url.path.startswith(_AS_ELSEWHERE):
            status = 400
        return JSONResponse(body_of(code, message, field), status)
    renderer = web_of(request).renderer
    if request.headers.get("hx-request"):
        return HTMLResponse(renderer("parts/problem.html", message=message), status)
    heading = HEADINGS.get(code) or HEADINGS.get(status, "Something went wrong")
    page = renderer("error.html", status=status, heading=heading, message=message)
    return HTMLResponse(page, status)


def _sign_in_first(request: Request) -> Response | None:
    """Send a person to the login page; a program, and a stream that comes back, are told 401."""
    if for_programs(request) or request.url.path == "/stream":
        return None
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse("/login", 303)


def answer(request: Request, error: DoorwardError) -> Response:
    """The answer to a request that came to this error."""
    response = _elsewhere(request, error)
    if response is None:
        response = _answer(request, status_of(error), error.code, error.message, error.field)
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _elsewhere(request: Request, error: DoorwardError) -> Response | None:
    if isinstance(error, NotSignedIn):
        return _sign_in_first(request)
    if isinstance(error, FreshLoginNeeded):
        return _confirm_first(request)
    return None


async def _on_doorward_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DoorwardError)  # noqa: S101  # registered for it
    return answer(request, error)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for it
    first = error.errors()[0]
    where = [str(part) for part in first["loc"][1:]]
    field = one_line(".".join(where)) or None
    told = one_line(f"{field}: {first['msg']}" if field else str(first["msg"]))
    return _answer(request, 422, InvalidInput.code, f"{told}; see /api/v1/openapi.json", field)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "error")
    response = _answer(
        request, error.status_code, code, f"{str(error.detail).lower()}; check the address"
    )
    response.headers.update(error.headers or {})
    return response


async def _on_bug(request: Request, error: Exception) -> Response:
    # Formatted here: a log formatter might print local variables, and there are secrets among them.
    _log.error("web.bug", path=request.url.path, trace="".join(format_exception(error)))
    return _answer(request, 500, "internal", "the gateway made a mistake; its log has the details")


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(DoorwardError, _on_doorward_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_bug)
