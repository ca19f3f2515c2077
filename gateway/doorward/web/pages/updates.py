"""Updates on the page of the boards: begun and called back there, told by its stream."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from doorward.app.services import Services
from doorward.domain.permissions import DEVICES_EDIT
from doorward.errors import DoorwardError
from doorward.web.context import WebDep
from doorward.web.errors import status_of
from doorward.web.pages.boards import VisitDep, done
from doorward.web.permission import needs
from doorward.web.session import SignedIn

router = APIRouter(prefix="/boards")


@dataclass(frozen=True, slots=True)
class _Visit:
    """Somebody who changes something for all boards."""

    request: Request
    web: WebDep
    session: SignedIn

    async def change(self, work: Callable[[Services, str], Awaitable[object]]) -> Response:
        """Have it done for who is here; what was refused is said above the boards."""
        try:
            await work(self.web.services, self.session.username)
        except DoorwardError as error:
            if "hx-request" not in self.request.headers:
                raise
            html = self.web.renderer(
                "parts/rollout.html",
                boards=self.web.services.devices.list(),
                session=self.session,
                problem=error.message,
            )
            return HTMLResponse(html, status_of(error))
        return done(self.request)


AllDep = Annotated[_Visit, Depends()]


@router.post("/update", dependencies=[needs(DEVICES_EDIT)])
async def update_all(visit: AllDep) -> Response:
    """Give every board that is online the newest firmware, one after the other."""
    return await visit.change(
        lambda services, actor: services.updates.begin(None, None, actor=actor)
    )


@router.post("/cancel", dependencies=[needs(DEVICES_EDIT)])
async def cancel_all(visit: AllDep) -> Response:
    """Call back what no board has installed yet."""
    return await visit.change(lambda services, actor: services.updates.cancel(None, actor=actor))


@router.post("/{device}/update", dependencies=[needs(DEVICES_EDIT)])
async def update(visit: VisitDep, device: str) -> Response:
    """Give a board the newest firmware."""
    return await visit.change(
        lambda services, actor: services.updates.begin([device], None, actor=actor)
    )


@router.post("/{device}/cancel", dependencies=[needs(DEVICES_EDIT)])
async def cancel(visit: VisitDep, device: str) -> Response:
    """Call back what a board has not installed yet."""
    return await visit.change(
        lambda services, actor: services.updates.cancel([device], actor=actor)
    )
