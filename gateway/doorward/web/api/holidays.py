"""Holidays. A change acts at once."""

from fastapi import APIRouter, status

from doorward.app.views.access import HolidayView
from doorward.domain.permissions import PEOPLE_EDIT, PEOPLE_SEE
from doorward.web.api.shapes.access import HolidayAnswer, HolidayName, HolidayOrder
from doorward.web.context import WebDep
from doorward.web.permission import needs
from doorward.web.session import Actor

router = APIRouter(tags=["holidays"])


@router.get("/holidays", response_model=list[HolidayAnswer], dependencies=[needs(PEOPLE_SEE)])
async def list_holidays(web: WebDep) -> tuple[HolidayView, ...]:
    """List the holidays; the one that comes next is first."""
    return await web.services.holidays.list()


@router.post(
    "/holidays",
    response_model=HolidayAnswer,
    status_code=status.HTTP_201_CREATED,
    dependencies=[needs(PEOPLE_EDIT)],
)
async def add_holiday(web: WebDep, who: Actor, order: HolidayOrder) -> HolidayView:
    """Make a day, or several, a holiday: schedules are off, but for their windows for holidays."""
    return await web.services.holidays.add(
        order.name, order.first, order.last, yearly=order.yearly, actor=who
    )


@router.post("/holidays/remove", response_model=HolidayAnswer, dependencies=[needs(PEOPLE_EDIT)])
async def remove_holiday(web: WebDep, who: Actor, order: HolidayName) -> HolidayView:
    """Make a holiday a day like others again."""
    return await web.services.holidays.remove(order.name, actor=who)
