"""Signing firmware with this installation's key, whether or not its gateway runs."""

import asyncio
import hashlib
from contextlib import AsyncExitStack
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from doorward import config
from doorward.errors import InvalidInput
from doorward.firmware.bundle import Bundle
from doorward.runtime.keys import open_keys


def sign(directory: Path, bundle: Bundle) -> Bundle:
    """The bundle with the signature of the installation in `directory`. Raises DoorwardError leaves."""
    return asyncio.run(_signed(directory, bundle))


async def _signed(directory: Path, bundle: Bundle) -> Bundle:
    async with AsyncExitStack() as stack:
        signer = await open_keys(config.load(directory), stack)
        digest = hashlib.sha256(bundle.manifest).digest()
        return bundle.signed(await asyncio.to_thread(signer.sign_firmware, digest))


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
