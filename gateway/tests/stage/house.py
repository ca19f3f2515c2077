"""An installation on disk with one door, made before any gateway runs in it."""

from pathlib import Path

from doorward.adapters.store import SqlStore
from doorward.database import load_or_create
from doorward.domain.audit import AuditRow
from doorward.domain.devices import APPROVED, Registration
from doorward.domain.doors import Door
from doorward_core.schedule import ALWAYS
from stage.secrets import Enrolment, enrol

MEMBER = bytes.fromhex("04a1b2c3d4e5f6")
STRANGER = bytes.fromhex("04a1b2c3d4e5f7")


async def furnish(directory: Path) -> Enrolment:
    """Put a front door, its board and a member into `directory`; returns the board's secrets."""
    store = SqlStore(directory / "gateway.db", load_or_create(directory / "keys" / "database.key"))
    store.start()
    await store.put_site(
        [Door("front", "Front door", "front")],
        [("Always", ALWAYS)],
        [("Members", ("front",), "Always")],
    )
    await store.add_person("Maya Okafor", ("Members",), AuditRow(0, "person.added", "operator"))
    await store.add_card(MEMBER, "Maya Okafor", AuditRow(0, "card.added", "operator"))
    board = Registration("front", "door-esp32", APPROVED, 0)
    await store.put_device(board, AuditRow(0, "device.approved", "operator"))
    await store.close()
    return enrol(directory / "signer", "front")
