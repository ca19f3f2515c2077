"""The signer that this gateway uses: the keys in its own process, or a socket to the one that has them."""

import asyncio
from contextlib import AsyncExitStack

from doorward.config import Settings
from doorward.errors import SigningUnavailable, StartupError
from doorward.runtime.usecases import Keys
from doorward.signer import Signer
from doorward.signer.remote import RemoteSigner

_PATIENCE_S = 5.0  # two services that are started together


async def open_keys(settings: Settings, stack: AsyncExitStack) -> Keys:
    """Open the keys, or find the signer that has them: with `[signer] socket` no key file is touched.

    Raises StartupError when there is no signer, KeyFileError leaves for what is wrong with files of our own.
    """
    socket = settings.signer.socket
    if socket is None:
        return Signer(settings.device_keys)
    remote = RemoteSigner(socket)
    stack.callback(remote.close)
    try:
        await asyncio.to_thread(remote.wait, _PATIENCE_S)
    except SigningUnavailable as error:
        raise StartupError(error.problem, error.remedy) from error
    return remote
