"""Tokens for programs. They travel in the Authorization header alone: `Authorization: Bearer dw_…`."""

from typing import Annotated

from fastapi import APIRouter, Path, status

from doorward.app.views.operators import TokenView
from doorward.domain.permissions import OPERATORS_EDIT
from doorward.web.api.shapes.operators import NewTokenAnswer, TokenAnswer, TokenOrder
from doorward.web.context import WebDep
from doorward.web.permission import FRESH, needs
from doorward.web.session import Actor

router = APIRouter(tags=["tokens"])

_CHANGE = [needs(OPERATORS_EDIT), FRESH]
_LARGEST_ID = 2**63 - 1


@router.get("/tokens", response_model=list[TokenAnswer], dependencies=[needs(OPERATORS_EDIT)])
async def list_tokens(web: WebDep) -> tuple[TokenView, ...]:
    """List the tokens of all operators."""
    return web.services.tokens.list()


@router.post(
    "/tokens",
    status_code=status.HTTP_201_CREATED,
    dependencies=_CHANGE,
)
async def add_token(web: WebDep, who: Actor, order: TokenOrder) -> NewTokenAnswer:
    """Make a token for an operator, with a part of what they may do. Its text is told this once."""
    text, made = await web.services.tokens.add(
        order.owner,
        order.name,
        order.scopes,
        order.days,
        unattended=order.unattended,
        actor=who,
    )
    told = TokenAnswer.model_validate(made).model_dump()
    return NewTokenAnswer(**told, token=text)


@router.post("/tokens/{id}/revoke", response_model=TokenAnswer, dependencies=_CHANGE)
async def revoke_token(
    web: WebDep, who: Actor, id: Annotated[int, Path(ge=1, le=_LARGEST_ID)]
) -> TokenView:
    """Take a token back. It is worth nothing from now on."""
    return await web.services.tokens.revoke(id, actor=who)
