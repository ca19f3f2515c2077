"""What the API gives of how the gateway is."""

from datetime import datetime

from doorward.web.api.shapes.base import Answer


class CheckAnswer(Answer):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    remedy: str | None


class HealthAnswer(Answer):
    """How the gateway is."""

    ok: bool
    version: str
    started_at: datetime
    data: str
    checks: list[CheckAnswer]
