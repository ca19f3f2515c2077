"""The rules, asked instead of lived."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from doorward.app.views import Explanation
from doorward.web.api.models import CardNumber, WhyAnswer
from doorward.web.context import WebDep

router = APIRouter(tags=["access"])


@router.get("/why", response_model=WhyAnswer)
async def why(
    web: WebDep, card: Annotated[CardNumber, Query()], door: str, at: datetime | None = None
) -> Explanation:
    """Tell what would happen, and by which rule. Without a zone `at` is the door's local time."""
    return web.services.access.why(bytes.fromhex(card), door, at)
