"""Who may sign in, and as what. Changes ask for a fresh login, and act at once."""

from fastapi import APIRouter, Request, status

from doorward.app.views.operators import Operator, RoleView
from doorward.domain.permissions import OPERATORS_EDIT
from doorward.errors import NotSignedIn
from doorward.web.api.shapes.operators import (
    ConfirmOrder,
    OperatorAnswer,
    OperatorOrder,
    PasswordOrder,
    PermissionsOrder,
    RoleAnswer,
    RoleOrder,
)
from doorward.web.context import WebDep
from doorward.web.permission import FRESH, SIGNED_IN, needs
from doorward.web.session import Actor, address_of, api_token, session_token

router = APIRouter(tags=["operators"])

_CHANGE = [needs(OPERATORS_EDIT), FRESH]


@router.get("/operators", response_model=list[OperatorAnswer], dependencies=[needs(OPERATORS_EDIT)])
async def list_operators(web: WebDep) -> tuple[Operator, ...]:
    """List the operators."""
    return web.services.operators.list()


@router.post(
    "/operators",
    response_model=OperatorAnswer,
    status_code=status.HTTP_201_CREATED,
    dependencies=_CHANGE,
)
async def add_operator(web: WebDep, who: Actor, order: OperatorOrder) -> Operator:
    """Add an operator."""
    return await web.services.operators.add(order.username, order.password, order.role, actor=who)


@router.post("/operators/{username}/password", response_model=OperatorAnswer, dependencies=_CHANGE)
async def set_password(web: WebDep, who: Actor, username: str, order: PasswordOrder) -> Operator:
    """Give an operator a new password. Their second factor goes with the old one, and their sessions end."""
    return await web.services.operators.set_password(username, order.password, actor=who)


@router.post("/operators/{username}/role", response_model=OperatorAnswer, dependencies=_CHANGE)
async def set_role(web: WebDep, who: Actor, username: str, order: RoleOrder) -> Operator:
    """Give an operator another role. Their sessions end."""
    return await web.services.operators.set_role(username, order.role, actor=who)


@router.post("/operators/{username}/unlock", response_model=OperatorAnswer, dependencies=_CHANGE)
async def unlock(web: WebDep, who: Actor, username: str) -> Operator:
    """Let an operator try again who failed too often."""
    return await web.services.operators.unlock(username, actor=who)


@router.post(
    "/operators/{username}/remove",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=_CHANGE,
)
async def remove(web: WebDep, who: Actor, username: str) -> None:
    """Take an operator away, with their sessions and tokens."""
    await web.services.operators.remove(username, actor=who)


@router.get("/roles", response_model=list[RoleAnswer], dependencies=[needs(OPERATORS_EDIT)])
async def list_roles(web: WebDep) -> tuple[RoleView, ...]:
    """List the roles with what they hold."""
    return web.services.operators.roles()


@router.post("/roles/{role}", response_model=RoleAnswer, dependencies=_CHANGE)
async def set_permissions(web: WebDep, who: Actor, role: str, order: PermissionsOrder) -> RoleView:
    """Say what a role holds. It acts at once, also for who is signed in."""
    return await web.services.operators.set_permissions(role, order.permissions, actor=who)


@router.post(
    "/confirm", status_code=status.HTTP_204_NO_CONTENT, dependencies=[SIGNED_IN], tags=["session"]
)
async def confirm(request: Request, web: WebDep, order: ConfirmOrder) -> None:
    """Show one's password or a code once more: what asks for a fresh login may follow for ten minutes."""
    token = session_token(request)
    if not token or web.local or api_token(request) is not None:
        raise NotSignedIn("there is no session to confirm", "sign in at /login")
    await web.services.auth.confirm(token, order.proof, address_of(request))
