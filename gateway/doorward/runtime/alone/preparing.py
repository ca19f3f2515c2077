"""Everything that a broker needs once, before it serves: settings, keys, certificates, tables."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from cryptography import x509

from doorward import config, logs
from doorward.broker.store import prepare as prepare_store
from doorward.config import EMBEDDED, Settings
from doorward.database import load_or_create
from doorward.errors import StartupError
from doorward.runtime.alone.plan import Plan
from doorward.runtime.keys import open_keys
from doorward.runtime.process import lock
from doorward.runtime.servers.certificate import ServerCertificate
from doorward.runtime.usecases import Keys


def prepare(directory: Path, *, port_base: int | None = None) -> Plan:
    """Have everything there that the broker of `directory` needs, and keep others out. Raises DoorwardError."""
    logs.configure()
    if (directory / "gateway.db").exists():
        raise StartupError(
            f"{directory} is a gateway's, which has its broker inside",
            "run `doorward up`, or choose another --data",
        )
    settings = config.load(directory, port_base=port_base)
    if settings.broker != EMBEDDED:
        raise StartupError(
            f'{directory} says broker = "{settings.broker}"', "run that, or choose another --data"
        )
    return asyncio.run(_prepare(settings))


async def _prepare(settings: Settings) -> Plan:
    held = lock.take(settings.directory)
    database = settings.directory / "broker.db"
    key = load_or_create(settings.database_key, database)
    async with AsyncExitStack() as stack:
        keys = await open_keys(settings, stack)
        certificate = server_certificate(settings, keys)
        prepare_store(database, key)
        return Plan(
            directory=str(settings.directory),
            base=settings.base,
            **settings.mqtt.model_dump(mode="json", exclude={"limits"}),
            limits=settings.mqtt.limits.given(),
            key=key.hex(),
            authority=keys.certificate().decode(),
            chain=str(certificate.path),
            renew_at=certificate.due().timestamp(),
            serials=_serials(keys),
            revoked=_revoked(keys),
            signer=None if settings.signer.socket is None else str(settings.signer.socket),
            lock=held.descriptor,
        )


def server_certificate(settings: Settings, keys: Keys) -> ServerCertificate:
    """A good one, for two months at least."""
    found = ServerCertificate(settings.server_certificate, keys, settings.names)
    found.refresh()
    return found


def _serials(keys: Keys) -> dict[str, int]:
    found = ((device, keys.serial(device)) for device in keys.devices())
    return {device: serial for device, serial in found if serial is not None}


def _revoked(keys: Keys) -> list[int]:
    return [entry.serial_number for entry in x509.load_pem_x509_crl(keys.crl())]
