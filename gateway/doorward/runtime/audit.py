"""Checks of the audit that need no running gateway: of an installation that stands still, and of an export."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from doorward import config
from doorward.adapters.store import SqlTrail
from doorward.app.audit.export_check import check_file
from doorward.app.audit.trail import check
from doorward.app.views.audit import AuditVerdict
from doorward.config import Settings
from doorward.database import load_or_create
from doorward.errors import InvalidInput
from doorward.runtime.backup import restored
from doorward.runtime.keys import open_keys
from doorward.runtime.process import lock

Verdict = dict[str, Any]
"""As the API answers."""

_SHAPE = TypeAdapter(AuditVerdict)


def verify_directory(directory: Path) -> Verdict:
    """Check the audit in `directory`, whose gateway is stopped. Raises DoorwardError leaves."""
    settings = config.load(directory)
    database = directory / "gateway.db"
    if not database.exists():
        raise InvalidInput(
            f"there is no installation in {directory}", "name one with --data", field="data"
        )
    return asyncio.run(_standing_still(settings, database))


async def _standing_still(settings: Settings, database: Path) -> Verdict:
    async with AsyncExitStack() as stack:
        stack.enter_context(lock.hold(settings.directory))
        mark = restored.read(settings.directory)
        trail = SqlTrail.open(database, load_or_create(settings.database_key, database))
        stack.callback(trail.close)
        signer = await open_keys(settings, stack)
        unheard = mark is not None and mark.news is not None
        return _answer(await asyncio.to_thread(check, trail, signer, restored=unheard))


def verify_file(path: Path, authority: Path) -> Verdict:
    """Check an export with the CA certificate in the file `authority`. Raises InvalidInput."""
    try:
        return _answer(check_file(path, authority.read_bytes()))
    except OSError as error:
        raise InvalidInput(
            f"{error.filename or path} cannot be read ({error.strerror})", field="file"
        ) from error


def _answer(found: AuditVerdict) -> Verdict:
    return {"ok": found.ok, **_SHAPE.dump_python(found, mode="json")}
