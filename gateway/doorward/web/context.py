"""What every route is given: the services, the templates and the open streams."""

from dataclasses import dataclass, field
from secrets import token_hex
from typing import Annotated, cast

from fastapi import Depends, Request

from doorward.app.services import Services
from doorward.app.services.broker import BrokerAdministration
from doorward.errors import Unavailable
from doorward.web.render import Renderer
from doorward.web.stream import Streams


@dataclass(frozen=True, slots=True)
class Web:
    """One application's own things. epoch tells this run's stream positions from those of an earlier one."""

    services: Services
    renderer: Renderer
    streams: Streams
    local: bool
    epoch: str = field(default_factory=lambda: token_hex(4))


def web_of(request: Request) -> Web:
    """The things of the application that serves this request."""
    return cast("Web", request.app.state.web)


async def get_web(request: Request) -> Web:
    """Give the application's own things to a route."""
    return web_of(request)


WebDep = Annotated[Web, Depends(get_web)]


async def get_broker(web: WebDep) -> BrokerAdministration:
    """Give the broker's desk to a route. Raises Unavailable when the broker is not ours."""
    if web.services.broker is None:
        raise Unavailable(
            "the broker here is another program", "see its own users and rules with its own tools"
        )
    return web.services.broker


BrokerDep = Annotated[BrokerAdministration, Depends(get_broker)]
