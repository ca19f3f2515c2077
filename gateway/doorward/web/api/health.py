"""How the gateway is."""

from fastapi import APIRouter

from doorward.app.views import Health
from doorward.web.api.models import HealthAnswer
from doorward.web.context import WebDep

router = APIRouter(tags=["health"])


@router.get("/health", response_model=HealthAnswer)
async def health(web: WebDep) -> Health:
    """Look at everything that `doorward doctor` shows."""
    return await web.services.health.snapshot()
