"""What `doctor` is shown of a running gateway."""

import shutil
from collections.abc import Sequence

from doorward.adapters.mqtt import MqttLink
from doorward.app.health import Look
from doorward.app.views import HealthCheck
from doorward.broker import Broker
from doorward.config import Settings
from doorward.errors import SigningUnavailable
from doorward.runtime.usecases import Keys, UseCases

_LITTLE_SPACE = 64 * 1024 * 1024


def all_checks(
    link: MqttLink, broker: Broker, keys: Keys, cases: UseCases, settings: Settings
) -> Sequence[Look]:
    """One function a check."""
    return (
        lambda: _broker(link, broker),
        lambda: _signer(keys, settings),
        lambda: _audit(cases),
        lambda: _refused(cases),
        lambda: _space(settings),
    )


def _broker(link: MqttLink, broker: Broker) -> HealthCheck:
    status = broker.status()
    detail = f"{status['connections']} connections, {status['denied']} refused requests"
    if not link.connected:
        return HealthCheck("broker", False, "the gateway is not connected", "look at its log")
    return HealthCheck("broker", True, detail)


def _signer(keys: Keys, settings: Settings) -> HealthCheck:
    where = settings.signer.socket or "in the gateway's own process"
    try:
        count = len(keys.devices())
    except SigningUnavailable as error:
        return HealthCheck("signer", False, error.problem, error.remedy)
    return HealthCheck("signer", True, f"keys of {count} devices, {where}")


def _audit(cases: UseCases) -> HealthCheck:
    lost = cases.access.counts["unrecorded"]
    if lost:
        return HealthCheck(
            "audit", False, f"{lost} decisions could not be put on record", "check the disk"
        )
    counts = cases.access.counts
    detail = f"{counts['granted']} granted and {counts['denied']} denied since the start"
    return HealthCheck("audit", True, detail)


def _refused(cases: UseCases) -> HealthCheck:
    refused = {device.id: device.rejected for device in cases.fleet.list() if device.rejected}
    if cases.fleet.strangers:
        refused["boards that are not approved"] = cases.fleet.strangers
    if not refused:
        return HealthCheck("seals", True, "no message was refused")
    told = ", ".join(f"{device}: {count}" for device, count in sorted(refused.items()))
    return HealthCheck(
        "seals", True, f"messages refused ({told})", "somebody replays, or a key does not fit"
    )


def _space(settings: Settings) -> HealthCheck:
    free = shutil.disk_usage(settings.directory).free
    detail = f"{free // (1024 * 1024)} MiB free"
    if free < _LITTLE_SPACE:
        return HealthCheck("space", False, detail, f"make room where {settings.directory} is")
    return HealthCheck("space", True, detail)
