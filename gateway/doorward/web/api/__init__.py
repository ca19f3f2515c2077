"""The API: JSON for programs, under /api/v1. The command line speaks it over the local socket."""

from fastapi import APIRouter, Depends

from doorward.web.api import (
    access,
    audit,
    broker,
    devices,
    doors,
    firmware,
    fixtures,
    health,
    holidays,
    mosquitto,
    mqtt,
    operators,
    people,
    selftests,
    site,
    tokens,
)
from doorward.web.api.shapes.base import ErrorAnswer
from doorward.web.csrf import guard_session
from doorward.web.session import calling

_ERRORS = {
    401: "Nobody is signed in.",
    403: "The role of who asks does not allow it, or the request does not come from a page of this session.",
    404: "What was named does not exist.",
    409: "It exists already, or its present state forbids the change.",
    422: "What was given cannot be accepted; `field` names the culprit.",
    503: "The part that is needed is not there right now.",
}


def router(*, demo: bool, local: bool = False) -> APIRouter:
    """All of the API. Every route needs a session (or the local socket), every change its token.

    What hands out secrets is there with `local` alone.
    """
    api = _empty()
    for part in (
        doors,
        fixtures,
        audit,
        access,
        people,
        holidays,
        devices,
        selftests,
        firmware,
        operators,
        tokens,
        broker,
        mosquitto,
        mqtt,
        health,
    ):
        api.include_router(part.router)
    if local:
        api.include_router(broker.local_router)
        api.include_router(devices.local_router)
        api.include_router(firmware.local_router)
    if demo:
        api.include_router(site.router)
    return api


def broker_router() -> APIRouter:
    """What a broker offers that runs alone, on its local socket."""
    api = _empty()
    for part in (mqtt, broker, health):
        api.include_router(part.router)
    api.include_router(broker.local_router)
    return api


def _empty() -> APIRouter:
    return APIRouter(
        prefix="/api/v1",
        dependencies=[Depends(calling), Depends(guard_session)],
        responses={
            status: {"model": ErrorAnswer, "description": text} for status, text in _ERRORS.items()
        },
    )
