"""How the gateway is."""

from fastapi import APIRouter

from doorward.app.views.health import Health
from doorward.domain.permissions import SYSTEM_SEE
from doorward.web.api.shapes.health import HealthAnswer
from doorward.web.context import WebDep
from doorward.web.permission import needs

router = APIRouter(tags=["health"])


@router.get("/health", response_model=HealthAnswer, dependencies=[needs(SYSTEM_SEE)])
async def health(web: WebDep) -> Health:
    """Look at everything that `doorward doctor` shows."""
    return await web.services.health.snapshot()
