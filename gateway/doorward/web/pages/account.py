"""The pages before there is a session: login, first run, and the demo's one-time link."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from doorward.app.operators.accounts import SHORTEST_PASSWORD
from doorward.errors import DoorwardError, NotSignedIn, SecondFactorNeeded, TooManyAttempts
from doorward.web.context import Web, WebDep
from doorward.web.csrf import give_form_token, keep_form_token
from doorward.web.errors import sentence, status_of
from doorward.web.pages.desk import Field
from doorward.web.permission import PUBLIC
from doorward.web.session import FoundSession, address_of, agent_of, remember, session_token

router = APIRouter()


_TEXTS = {
    "login": ("Sign in", "to see your doors and open them.", "Sign in", "/login"),
    "code": ("One more step", "Your account asks for a second factor.", "Sign in", "/login/code"),
    "setup": (
        "Welcome",
        "Make the first operator. Nobody can sign in before.",
        "Make the operator",
        "/setup",
    ),
    "enter": (
        "Your virtual site is ready",
        "One click, and you are in. The link works once.",
        "Enter",
        "",
    ),
    # Nothing to fill in and nothing to press: what is left to do is done in the terminal.
    "no_password": (
        "Not signed in",
        "The demo has no passwords. Restart the demo for a new link.",
        "",
        "",
    ),
    "no_entry": (
        "This link lets nobody in",
        "A link into the demo works once, and for that start of the demo only.",
        "",
        "",
    ),
}


def _page(
    request: Request, web: Web, page: str, error: DoorwardError | None = None, **values: str
) -> HTMLResponse:
    token = give_form_token(request)
    heading, lead, button, action = _TEXTS[page]
    texts = {
        "heading": heading,
        "lead": lead,
        "button": button,
        "action": action,
        "username": "",
        "token": "",
        "ticket": "",
        "password_min": str(SHORTEST_PASSWORD),
    }
    html = web.renderer(
        f"{page}.html" if page in ("login", "setup", "code") else "enter.html",
        csrf=token,
        error=sentence(error) if error else "",
        **{**texts, **values},
    )
    response = HTMLResponse(html, status_of(error) if error else 200)
    keep_form_token(request, response, token)
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def _begin(request: Request, web: Web, token: str) -> Response:
    """Start the session that was just made; one that the browser had before is over."""
    before = session_token(request)
    if before:
        await web.services.auth.logout(before)
    response = RedirectResponse("/", 303)
    remember(request, response, token)
    return response


@router.get("/login", dependencies=[PUBLIC])
def login_page(request: Request, web: WebDep, session: FoundSession) -> Response:
    """Ask for name and password."""
    if session is not None:
        return RedirectResponse("/", 303)
    if web.services.auth.needs_setup():
        return RedirectResponse("/setup", 303)
    if web.services.site is not None and not web.services.auth.has_operators():
        return _page(request, web, "no_password")
    return _page(request, web, "login")


@router.post("/login", dependencies=[PUBLIC])
async def login(
    request: Request, web: WebDep, username: Field = "", password: Field = ""
) -> Response:
    """Trade name and password for a session."""
    try:
        token = await web.services.auth.login(
            username, password, address_of(request), agent_of(request)
        )
    except SecondFactorNeeded as more:
        return _page(request, web, "code", ticket=more.ticket)
    except DoorwardError as error:
        return _page(request, web, "login", error, username=username)
    return await _begin(request, web, token)


@router.post("/login/code", dependencies=[PUBLIC])
async def login_code(
    request: Request, web: WebDep, ticket: Field = "", code: Field = ""
) -> Response:
    """Trade a code of the second factor for a session."""
    try:
        token = await web.services.auth.answer(ticket, code, address_of(request), agent_of(request))
    except DoorwardError as error:
        again = "code" if error.field == "code" or isinstance(error, TooManyAttempts) else "login"
        return _page(request, web, again, error, ticket=ticket)
    return await _begin(request, web, token)


@router.get("/setup", dependencies=[PUBLIC])
def setup_page(request: Request, web: WebDep) -> Response:
    """Ask for the setup token and the first operator."""
    if not web.services.auth.needs_setup():
        return RedirectResponse("/login", 303)
    return _page(request, web, "setup")


@router.post("/setup", dependencies=[PUBLIC])
async def setup(
    request: Request, web: WebDep, token: Field = "", username: Field = "", password: Field = ""
) -> Response:
    """Make the first operator and sign in."""
    try:
        session = await web.services.auth.setup(
            token.strip(), username, password, address_of(request), agent_of(request)
        )
    except DoorwardError as error:
        return _page(request, web, "setup", error, token=token, username=username)
    return await _begin(request, web, session)


@router.get("/enter/{token}", dependencies=[PUBLIC])
def enter_page(request: Request, web: WebDep, token: str) -> Response:
    """Show one button. Looking at a link must not use it up: browsers and messengers look ahead."""
    return _page(request, web, "enter", action=f"/enter/{token}")


@router.post("/enter/{token}", dependencies=[PUBLIC])
async def enter(request: Request, web: WebDep, token: str) -> Response:
    """Trade the one-time link for a session."""
    try:
        session = await web.services.auth.enter(token, address_of(request), agent_of(request))
    except NotSignedIn as error:
        return _page(request, web, "no_entry", error)
    except DoorwardError as error:
        return _page(request, web, "enter", error, action=f"/enter/{token}")
    return await _begin(request, web, session)
