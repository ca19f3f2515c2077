"""Our servers' contexts: the certificate is looked at again and again, and what goes wrong once is tried again."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doorward import config
from doorward.errors import Unavailable
from doorward.runtime.servers import server_tls
from doorward.runtime.servers.server_tls import ServerTls
from doorward.signer import Signer


async def test_a_daily_look_renews_it_also_after_one_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_tls, "_LOOK_S", 0.01)
    signer = Signer(tmp_path / "signer")
    servers = ServerTls(config.load(tmp_path, environ={}), signer)
    certificate = servers.certificate
    before = certificate.path.read_bytes()
    keeping = asyncio.create_task(servers.keep())
    await asyncio.sleep(0.1)
    assert certificate.path.read_bytes() == before

    issue, refusals = signer.certify_server, []

    def once_away(names: tuple[str, ...]) -> object:
        if not refusals:
            refusals.append(1)
            raise Unavailable("the signer is away", "start it")
        return issue(names)

    monkeypatch.setattr(signer, "certify_server", once_away)
    monkeypatch.setattr(certificate, "_now", lambda: datetime.now(UTC) + timedelta(days=700))
    async with asyncio.timeout(5):
        while certificate.path.read_bytes() == before:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
    assert refusals
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
