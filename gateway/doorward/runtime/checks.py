"""What `doctor` is shown of a running gateway."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from doorward.adapters.mqtt import MqttLink
from doorward.app.health import Look
from doorward.app.views.health import HealthCheck
from doorward.broker import Broker
from doorward.config import Settings
from doorward.errors import SigningUnavailable
from doorward.runtime.servers.certificate import ServerCertificate
from doorward.runtime.servers.server_tls import ServerTls
from doorward.runtime.usecases import Keys, UseCases

# It should have been made anew by then.
_SHORT = timedelta(days=50)
_COMPARE = (
    "compare `doorward broker users list` and `acl list` with the audit, and make the changes again; "
    "then stop it, delete broker.db.mark and start it"
)
_LITTLE_SPACE = 64 * 1024 * 1024


def all_checks(
    broker: Sequence[Look],
    keys: Keys,
    cases: UseCases,
    settings: Settings,
    tls: ServerTls,
) -> Sequence[Look]:
    """One function a check. `broker`: those of the broker's side."""
    return (
        *broker,
        lambda: _signer(keys, settings),
        lambda: _certificate(tls.certificate),
        lambda: _authority(tls),
        lambda: _audit(cases),
        lambda: _refused(cases),
        lambda: _space(settings.directory),
    )


def embedded(link: MqttLink, broker: Broker, settings: Settings) -> Sequence[Look]:
    """The checks of the broker in our own process."""
    return (lambda: _broker(link, broker), lambda: _boards_listener(broker, settings))


def alone(broker: Broker, host: str, directory: Path) -> Sequence[Look]:
    """The checks of a broker without a gateway, which listens at `host`."""
    return (
        lambda: _at_work(broker),
        lambda: _users_listener(broker, host, directory),
        lambda: _space(directory),
    )


def _broker(link: MqttLink, broker: Broker) -> HealthCheck:
    if not link.connected:
        return HealthCheck("broker", False, "the gateway is not connected", "look at its log")
    return _at_work(broker)


def _at_work(broker: Broker) -> HealthCheck:
    status = broker.status()
    detail = f"{status.connections} connections, {status.denied} refused requests"
    if broker.stuck:
        detail = f"{detail}; broker.db cannot be written, so nothing is acknowledged"
        return HealthCheck("broker", False, detail, "make room on the disk, or look into the log")
    if status.lost:
        detail = f"{detail}; broker.db has lost its last {status.lost} changes of users and rules"
        return HealthCheck("broker", False, detail, _COMPARE)
    if status.left_out:
        detail = f"{detail}; broker.db could not hold {status.left_out} changes, which are lost"
        return HealthCheck("broker", False, detail, "report what the log says of them")
    return HealthCheck("broker", True, detail)


def _signer(keys: Keys, settings: Settings) -> HealthCheck:
    where = settings.signer.socket or "in the gateway's own process"
    try:
        count = len(keys.devices())
    except SigningUnavailable as error:
        return HealthCheck("signer", False, error.problem, error.remedy)
    return HealthCheck("signer", True, f"device keys: {count}, {where}")


def _boards_listener(broker: Broker, settings: Settings) -> HealthCheck:
    failed = broker.status().handshakes_failed
    place = f"boards come to {settings.mqtt.host}:{broker.secure_port} over mutual TLS"
    if not failed:
        return HealthCheck("tls", True, place)
    detail = f"{place}; {failed} connections came without a good certificate"
    return HealthCheck("tls", True, detail, "a board to adopt again, or somebody who tries doors")


def _users_listener(broker: Broker, host: str, directory: Path) -> HealthCheck:
    failed = broker.status().handshakes_failed
    place = f"clients come to {host}:{broker.secure_port} over TLS"
    if not failed:
        return HealthCheck("tls", True, place)
    detail = f"{place}; {failed} connections were not good TLS"
    return HealthCheck("tls", True, detail, f"give the clients {directory / 'ca.crt'}")


def _certificate(certificate: ServerCertificate) -> HealthCheck:
    left = certificate.until() - datetime.now(UTC)
    detail = f"good until {certificate.until():%Y-%m-%d}, for {len(certificate.names)} names"
    if left < _SHORT:
        return HealthCheck("certificate", False, detail, "look into the log for why it stays")
    return HealthCheck("certificate", True, detail)


def _authority(tls: ServerTls) -> HealthCheck:
    return HealthCheck("authority", True, f"SHA-256 {tls.fingerprint}")


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
    refused = cases.fleet.refused()
    if cases.fleet.strangers:
        refused["boards that are not approved"] = cases.fleet.strangers
    if not refused:
        return HealthCheck("seals", True, "no message was refused")
    told = ", ".join(f"{device}: {count}" for device, count in sorted(refused.items()))
    return HealthCheck(
        "seals", True, f"messages refused ({told})", "somebody replays, or a key does not fit"
    )


def _space(directory: Path) -> HealthCheck:
    free = shutil.disk_usage(directory).free
    detail = f"{free // (1024 * 1024)} MiB free"
    if free < _LITTLE_SPACE:
        return HealthCheck("space", False, detail, f"make room where {directory} is")
    return HealthCheck("space", True, detail)
