"""What the pages of forms have in common: one heading, one line below it, and what went wrong, if anything did."""

from typing import Annotated

from fastapi import Form
from starlette.responses import HTMLResponse

from doorward.app.views.operators import Session
from doorward.errors import DoorwardError
from doorward.web.context import Web
from doorward.web.errors import sentence, status_of

Field = Annotated[str, Form(max_length=512)]
"""What somebody typed; how long it may really be is the application's to say."""


def desk(
    web: Web,
    session: Session,
    template: str,
    heading: str,
    lead: str,
    *,
    error: DoorwardError | None = None,
    **values: object,
) -> HTMLResponse:
    """A page of forms for somebody who is signed in, with the status of the error if there is one."""
    html = web.renderer(
        template,
        heading=heading,
        lead=lead,
        session=session,
        demo=web.services.site is not None,
        error=sentence(error) if error else "",
        **values,
    )
    return HTMLResponse(html, status_of(error) if error else 200)
