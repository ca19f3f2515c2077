"""The broker: who may come to it, what they may do there, and what happens."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, status
from fastapi.responses import StreamingResponse

from doorward.app.services.broker import BrokerAdministration
from doorward.app.views.broker import (
    BrokerEntry,
    BrokerFigures,
    BrokerRule,
    BrokerUser,
    BrokerVerdict,
    Granted,
)
from doorward.domain.permissions import MQTT_EDIT, MQTT_SEE
from doorward.errors import DoorwardError, Unavailable
from doorward.web.api.shapes.broker import (
    BrokerCertificateAnswer,
    BrokerEntryAnswer,
    BrokerFiguresAnswer,
    BrokerNameOrder,
    BrokerPasswordOrder,
    BrokerRolesOrder,
    BrokerRuleAnswer,
    BrokerUserAnswer,
    BrokerUserOrder,
    BrokerVerdictAnswer,
    GrantedAnswer,
    RuleOrder,
)
from doorward.web.context import BrokerDep, Web, WebDep
from doorward.web.permission import FRESH, needs
from doorward.web.session import Actor, caller_of, session_of
from doorward.web.stream import KEEPALIVE

router = APIRouter(prefix="/broker", tags=["broker"])
# Keys travel over the local socket alone.
local_router = APIRouter(prefix="/broker", tags=["broker"])

_SEE = [needs(MQTT_SEE)]
_CHANGE = [needs(MQTT_EDIT), FRESH]

Limit = Annotated[int, Query(ge=1, le=500)]
Named = Annotated[str | None, Query(min_length=1, max_length=128)]
Number = Annotated[int | None, Query(ge=0, le=2**62)]
Topic = Annotated[str, Query(min_length=1, max_length=1024)]


@router.get("/users", response_model=list[BrokerUserAnswer], dependencies=_SEE)
async def list_users(broker: BrokerDep) -> tuple[BrokerUser, ...]:
    """List who comes to the broker with a password, and who has a certificate."""
    return await broker.users_with_certificates()


@router.post(
    "/users",
    response_model=BrokerUserAnswer,
    status_code=status.HTTP_201_CREATED,
    dependencies=_CHANGE,
)
async def add_user(broker: BrokerDep, who: Actor, order: BrokerUserOrder) -> BrokerUser:
    """Let somebody in."""
    return await broker.add_user(order.name, order.password, order.roles, actor=who)


@router.post("/users/check", status_code=status.HTTP_204_NO_CONTENT, dependencies=_CHANGE)
async def check_user(broker: BrokerDep, order: BrokerNameOrder) -> None:
    """Tell whether somebody of that name could be let in, before anybody thinks of a password."""
    await broker.check_user(order.name, order.roles)


@router.post("/users/{name}/password", response_model=BrokerUserAnswer, dependencies=_CHANGE)
async def set_password(
    broker: BrokerDep, who: Actor, name: str, order: BrokerPasswordOrder
) -> BrokerUser:
    """Give a user a new password. Its connections end."""
    return await broker.set_password(name, order.password, actor=who)


@router.post("/users/{name}/roles", response_model=BrokerUserAnswer, dependencies=_CHANGE)
async def set_roles(
    broker: BrokerDep, who: Actor, name: str, order: BrokerRolesOrder
) -> BrokerUser:
    """Let a user follow the rules of other roles. It acts at once, and its connections stay."""
    return await broker.set_roles(name, order.roles, actor=who)


@router.post("/users/{name}/remove", status_code=status.HTTP_204_NO_CONTENT, dependencies=_CHANGE)
async def remove_user(broker: BrokerDep, who: Actor, name: str) -> None:
    """Shut a user out, with its sessions and its own rules."""
    await broker.remove_user(name, actor=who)


@local_router.post(
    "/users/{name}/certificate", status_code=status.HTTP_201_CREATED, dependencies=_CHANGE
)
async def certify_user(broker: BrokerDep, who: Actor, name: str) -> BrokerCertificateAnswer:
    """Give a user a certificate, which it has to show from now on. An older one is void, its connections end."""
    made = await broker.certify(name, actor=who)
    return BrokerCertificateAnswer(
        name=name,
        serial=f"{made.serial:x}",
        certificate=made.certificate.decode(),
        key=made.private_key.decode(),
        authority=made.authority.decode(),
    )


@router.post(
    "/users/{name}/certificate/revoke",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=_CHANGE,
)
async def revoke_certificate(broker: BrokerDep, who: Actor, name: str) -> None:
    """Take a user's certificate back. Its connections end; name and password are enough again."""
    await broker.revoke_certificate(name, actor=who)


@router.get("/roles", response_model=list[str], dependencies=_SEE)
async def list_roles(broker: BrokerDep) -> tuple[str, ...]:
    """List the roles that users can have at the broker."""
    return broker.roles()


@router.get("/acl", response_model=list[BrokerRuleAnswer], dependencies=_SEE)
async def list_rules(broker: BrokerDep) -> tuple[BrokerRule, ...]:
    """List the rules, those that are built in first."""
    return broker.rules()


@router.post("/acl/grant", response_model=GrantedAnswer, dependencies=_CHANGE)
async def grant(broker: BrokerDep, who: Actor, order: RuleOrder) -> Granted:
    """Add a rule, or widen the one for the same subject, effect and filter. It acts on live connections at once."""
    return await broker.grant(order.rule(), actor=who)


@router.post("/acl/revoke", response_model=BrokerRuleAnswer, dependencies=_CHANGE)
async def revoke(broker: BrokerDep, who: Actor, order: RuleOrder) -> BrokerRule:
    """Take a rule back. Subscriptions that it alone allowed end at once."""
    return await broker.revoke(order.rule(), actor=who)


@router.get("/acl/explain", response_model=BrokerVerdictAnswer, dependencies=_SEE)
async def explain(
    broker: BrokerDep,
    principal: Annotated[str, Query(min_length=1, max_length=128)],
    action: Literal["publish", "subscribe"],
    topic: Topic,
    client: Named = None,
) -> BrokerVerdict:
    """Tell whether somebody may do that, and by which rule."""
    return broker.explain(principal, action, topic, client)


@router.get("/figures", response_model=BrokerFiguresAnswer, dependencies=_SEE)
async def figures(broker: BrokerDep) -> BrokerFigures:
    """Tell the broker's counters."""
    return broker.figures()


@router.get("/log", response_model=list[BrokerEntryAnswer], dependencies=_SEE)
async def log(
    broker: BrokerDep,
    limit: Limit = 50,
    action: Named = None,
    principal: Named = None,
    before: Number = None,
    after: Number = None,
) -> tuple[BrokerEntry, ...]:
    """List the newest lines of the log, newest first; with `after` the oldest that are newer, oldest first."""
    _check_log(broker)
    return await broker.log(limit, action=action, principal=principal, before=before, after=after)


@router.get("/log/stream", response_class=StreamingResponse, dependencies=_SEE)
async def tail(
    request: Request,
    web: WebDep,
    broker: BrokerDep,
    action: Named = None,
    principal: Named = None,
    after: Number = None,
) -> StreamingResponse:
    """Follow the log as server-sent events of JSON, from now on or from behind the line `after`.

    Each event's id is the number of its line: who comes back with it (as `after` or Last-Event-ID) misses nothing that
    is still at hand. It ends with the session.
    """
    _check_log(broker)
    told = request.headers.get("last-event-id", "")
    if told.isascii() and told.isdecimal() and len(told) < 19:
        after = int(told)
    await broker.log(1, action=action)  # says what is wrong with it while it can be said
    frames = _frames(web, broker, _watching(request, web), action, principal, after)
    return StreamingResponse(
        frames, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def _check_log(broker: BrokerAdministration) -> None:
    if broker.log_elsewhere:
        raise Unavailable("the log is that of another program", broker.log_elsewhere)


def _watching(request: Request, web: Web) -> Callable[[], bool]:
    """Whether whoever asks may still see the log."""

    def may_go_on() -> bool:
        try:
            caller = caller_of(request, web, session_of(request, web))
        except DoorwardError:
            return False
        return caller.may(MQTT_SEE)

    return may_go_on


async def _frames(
    web: Web,
    broker: BrokerAdministration,
    may_go_on: Callable[[], bool],
    action: str | None,
    principal: str | None,
    after: int | None,
) -> AsyncIterator[bytes]:
    async def between(last: int, until: int) -> AsyncIterator[BrokerEntry]:
        while found := await broker.log(500, action=action, principal=principal, after=last):
            for one in found:
                if one.number > until:
                    return
                last = one.number
                yield one

    position = broker.feed.position
    last = position if after is None or after > position else after
    yield KEEPALIVE
    if last < position:
        async for one in between(last, position):
            yield _frame(one)
    last = position
    async for item in web.streams.items(broker.feed, position, may_go_on):
        if item is None:
            yield KEEPALIVE
            continue
        if item.id > last + 1:  # more than the feed holds for a reader
            async for one in between(last, item.id - 1):
                yield _frame(one)
        last = item.id
        entry = item.data
        if (
            isinstance(entry, BrokerEntry)
            and action in (None, entry.action)
            and principal in (None, entry.principal)
        ):
            yield _frame(entry)


def _frame(entry: BrokerEntry) -> bytes:
    body = BrokerEntryAnswer.model_validate(entry).model_dump(mode="json")
    return f"id: {entry.number}\ndata: {json.dumps(body)}\n\n".encode()
