"""The pages: HTML for people."""

from fastapi import APIRouter, Depends

from doorward.web.csrf import guard_form, guard_session
from doorward.web.pages import (
    account,
    boards,
    broker,
    confirm,
    leave,
    live,
    operators,
    own,
    people,
    site,
    trust,
    updates,
)
from doorward.web.session import signed_in


def router(*, demo: bool) -> APIRouter:
    """All pages. Those of account and CA are public, the others need a session; every change needs its token."""
    pages = APIRouter(include_in_schema=False)
    pages.include_router(account.router, dependencies=[Depends(guard_form)])
    pages.include_router(trust.router)
    behind_login = [Depends(signed_in), Depends(guard_session)]
    pages.include_router(live.router, dependencies=behind_login)
    for part in (boards, updates, people, broker, leave, confirm, own, operators):
        pages.include_router(part.router, dependencies=behind_login)
    if demo:
        pages.include_router(site.router, dependencies=behind_login)
    return pages
