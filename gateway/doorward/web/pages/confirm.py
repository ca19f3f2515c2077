"""Who is signed in shows once more that it is them: on a page of its own, or in the small dialog of the live page."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from doorward.errors import DoorwardError, TooManyAttempts
from doorward.web.context import Web, WebDep
from doorward.web.errors import confirm_dialog, sentence, status_of
from doorward.web.pages.desk import Field
from doorward.web.permission import SIGNED_IN
from doorward.web.session import SignedIn, address_of, session_token

router = APIRouter()


def own_path(path: str) -> str:
    """A path of this site to go on to; anything else is the start page."""
    fine = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if fine and path.isprintable() else "/"


def _page(web: Web, session: SignedIn, then: str, error: DoorwardError | None) -> Response:
    html = web.renderer(
        "confirm.html",
        heading="Confirm that it is you",
        lead=f"{session.username}, type your password, or a code of your second factor.",
        button="Confirm",
        action="/confirm",
        csrf=session.csrf,
        next=then,
        error=sentence(error) if error else "",
    )
    return HTMLResponse(html, status_of(error) if error else 200)


@router.get("/confirm", dependencies=[SIGNED_IN])
def confirm_page(web: WebDep, session: SignedIn, next: str = "/") -> Response:
    """Ask for the password once more."""
    return _page(web, session, own_path(next), None)


@router.post("/confirm", dependencies=[SIGNED_IN])
async def confirm(
    request: Request, web: WebDep, session: SignedIn, proof: Field = "", next: Field = "/"
) -> Response:
    """Take the password or a code. What asked for it may follow for ten minutes."""
    from_script = "hx-request" in request.headers
    try:
        await web.services.auth.confirm(session_token(request) or "", proof, address_of(request))
    except DoorwardError as error:
        response = (
            confirm_dialog(web, session, error)
            if from_script
            else _page(web, session, own_path(next), error)
        )
        if isinstance(error, TooManyAttempts):
            response.headers["Retry-After"] = str(error.retry_after)
        return response
    return HTMLResponse("") if from_script else RedirectResponse(own_path(next), 303)
