"""The firmware that ships, and signing with this installation's key while its gateway does not run."""

import asyncio
import getpass
import hashlib
import time
from contextlib import AsyncExitStack
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from doorward import config
from doorward.adapters.store import SqlStore
from doorward.app.updates.shelf import signed_row
from doorward.database import load_or_create
from doorward.errors import InvalidInput, Unavailable
from doorward.firmware.bundle import Bundle, shipped
from doorward.firmware.manifest import version_of
from doorward.firmware.mpy import CompilerMissing
from doorward.runtime.backup import restored
from doorward.runtime.keys import open_keys
from doorward.runtime.process import lock


class ShippedFirmware:
    """The firmware for boards that came with this gateway."""

    def __init__(self, root: Path) -> None:
        """`root`: as `data.data_root` names it."""
        self._root = root
        self.version = version_of(root / "firmware")

    def bundle(self) -> Bundle:
        """All of it, not signed. Blocking. Raises Unavailable."""
        try:
            return shipped(self._root)
        except CompilerMissing:
            raise Unavailable(
                "the compiler for the boards' firmware is not installed", "install doorward[lab]"
            ) from None


def sign(directory: Path, bundle: Bundle) -> Bundle:
    """The bundle with the signature of the installation in `directory`. Raises DoorwardError leaves."""
    return asyncio.run(_signed(directory, bundle))


async def _signed(directory: Path, bundle: Bundle) -> Bundle:
    settings = config.load(directory)
    async with AsyncExitStack() as stack:
        stack.enter_context(lock.hold(settings.directory))
        signer = await open_keys(settings, stack)
        digest = hashlib.sha256(bundle.manifest).digest()
        signed = bundle.signed(await asyncio.to_thread(signer.sign_firmware, digest))
        database = directory / "gateway.db"
        if database.exists():
            store = SqlStore(database, load_or_create(settings.database_key, database), signer)
            stack.push_async_callback(store.close)
            mark = restored.read(settings.directory)
            store.start(mark.news if mark else None)
            await store.append(signed_row(bundle, getpass.getuser(), time.time_ns() // 1_000_000))
        return signed


def public_key(directory: Path, path: Path | None) -> rsa.RSAPublicKey:
    """The key in the file `path`, else that of the installation in `directory`. Raises DoorwardError leaves."""
    content = _read(path) if path is not None else asyncio.run(_own(directory))
    try:
        key = load_pem_public_key(content)
    except ValueError as error:
        raise InvalidInput(f"{path} holds no public key", field="key") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise InvalidInput(f"{path} holds no RSA key", "give a site's firmware.pub", field="key")
    return key


async def _own(directory: Path) -> bytes:
    async with AsyncExitStack() as stack:
        signer = await open_keys(config.load(directory), stack)
        return await asyncio.to_thread(signer.firmware_key)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror})", field="key") from error
