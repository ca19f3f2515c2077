"""Mosquitto in the place of the broker inside: what the gateway can be asked to do about it."""

from fastapi import APIRouter

from doorward.app.views.broker import BrokerSynced
from doorward.domain.permissions import MQTT_EDIT
from doorward.errors import Conflict
from doorward.web.api.shapes.broker import SyncedAnswer
from doorward.web.context import WebDep
from doorward.web.permission import needs

router = APIRouter(tags=["broker"])


@router.post("/broker/mosquitto/sync", response_model=SyncedAnswer, dependencies=[needs(MQTT_EDIT)])
async def sync_accounts(web: WebDep) -> BrokerSynced:
    """Look at all accounts on Mosquitto now, and correct those that are not as they should be."""
    outside = web.services.outside
    if outside is None:
        raise Conflict(
            "this gateway uses the broker inside",
            'set broker = "mosquitto" in doorward.toml, and start it anew',
        )
    return await outside.sync()
