"""The site's CA, for browsers that are to trust it. It is no secret, and comes before any login."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from doorward.app.trust import fingerprint
from doorward.web.context import WebDep
from doorward.web.permission import PUBLIC

router = APIRouter()


@router.get("/ca", dependencies=[PUBLIC])
def ca_page(web: WebDep) -> HTMLResponse:
    """How to trust it, and how to see that it is the right one."""
    known = fingerprint(web.services.authority.certificate())
    return HTMLResponse(web.renderer("ca.html", fingerprint=known))


@router.get("/ca.crt", dependencies=[PUBLIC])
def ca_certificate(web: WebDep) -> Response:
    """The certificate itself; phones offer to install a file of this type."""
    return Response(
        web.services.authority.certificate(),
        media_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": 'attachment; filename="doorward-ca.crt"'},
    )
