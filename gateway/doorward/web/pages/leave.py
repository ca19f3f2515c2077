"""The way out."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from doorward.web.context import WebDep
from doorward.web.permission import SIGNED_IN
from doorward.web.session import forget, session_token

router = APIRouter()


@router.post("/logout", dependencies=[SIGNED_IN])
async def logout(request: Request, web: WebDep) -> Response:
    """End the session, here and in the gateway. Its open streams end with it."""
    token = session_token(request)
    if token:
        await web.services.auth.logout(token)
    response = RedirectResponse("/login", 303)
    forget(request, response)
    return response
