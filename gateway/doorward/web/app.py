"""The web application: one for the TCP port, one for the local socket, over the same services."""

from functools import cache
from typing import cast

from fastapi import Depends, FastAPI
from starlette.routing import BaseRoute

from doorward import __version__
from doorward.app.services import BrokerServices, Services
from doorward.web import api, errors, pages, static
from doorward.web.api import mqtt
from doorward.web.context import Web
from doorward.web.headers import SecurityHeaders
from doorward.web.limits import RateLimit
from doorward.web.render import Renderer
from doorward.web.session import calling
from doorward.web.stream import Streams

MAX_BODY = 64 * 1024  # the largest form has five fields
MAX_LOCAL_BODY = 8 << 20


def create_app(services: Services, *, local: bool = False) -> FastAPI:
    """Build the application.

    On TCP everything but the account pages needs a session, and every change a CSRF token and an Origin. With
    `local` the application serves the API alone and asks for neither: it belongs on a Unix socket, whose file
    permissions are the authority and which no browser can reach.

    Open live pages would keep a server from stopping: call `app.state.streams.close()` first.
    """
    demo = services.site is not None
    app = FastAPI(
        title="doorward",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        routes=list(_routes(demo=demo, local=local)),
    )
    app.state.streams = Streams()
    app.state.web = Web(services, Renderer(demo=demo), app.state.streams, local=local)
    if not local:
        app.add_middleware(RateLimit)
    app.add_middleware(SecurityHeaders)  # added last, it is outermost: on every answer
    errors.install(app)
    return app


def create_broker_app(services: BrokerServices) -> FastAPI:
    """Build the local API of a broker that runs alone: what there is of a broker, and nothing else."""
    app = FastAPI(title="doorward broker", version=__version__, docs_url=None, redoc_url=None)
    app.state.streams = Streams()
    # These routes ask for nothing of a gateway that a broker alone has not got.
    known = cast("Services", services)
    app.state.web = Web(known, Renderer(demo=False), app.state.streams, local=True)
    errors.install(app)
    app.include_router(api.broker_router())
    app.include_router(mqtt.metrics_router, dependencies=[Depends(calling)])
    return app


@cache
def _routes(*, demo: bool, local: bool) -> tuple[BaseRoute, ...]:
    """All that can be asked for. Routes know no services, and to work out what each depends on takes half a second."""
    # Who is on this machine brings whole firmwares.
    longest = MAX_LOCAL_BODY if local else MAX_BODY
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, max_body_size=longest)
    app.include_router(api.router(demo=demo, local=local))
    app.include_router(mqtt.metrics_router, dependencies=[Depends(calling)])
    if not local:
        app.include_router(pages.router(demo=demo))
        app.mount("/static", static.files())
    return tuple(app.routes)
