"""What the API gives and takes of boards and of their firmware."""

from datetime import datetime
from typing import Any

from pydantic import Field

from doorward.web.api.shapes.base import Answer, Order


class UpdateAnswer(Answer):
    """A board's newest update.

    state: `waiting`, `offered`, `installed`, `confirmed`, `rolled back`, `refused`, `failed`, `stopped` or `cancelled`;
    percent: how much of it the board has; meaning: the reason in words; rollout: the same for boards that were named
    together.
    """

    device: str
    version: str
    state: str
    percent: int
    reason: str
    meaning: str
    actor: str
    rollout: int
    changed_at: datetime


class FirmwareAnswer(Answer):
    """A firmware for boards; `ships`: it came with this gateway. The rest is null where nobody has used it yet."""

    version: str
    ships: bool
    epoch: int | None
    size: int | None
    added_at: datetime | None
    actor: str | None


class BundleOrder(Order):
    """A bundle of `doorward firmware bundle`, in Base64."""

    bundle: str = Field(max_length=6 << 20)


class SignedAnswer(Answer):
    """The same bundle with this site's signature."""

    version: str
    bundle: str


class RolloutOrder(Order):
    """Boards by their ids, null: all that are online and run another version; null: the newest version."""

    devices: list[str] | None = Field(default=None, max_length=4096)
    version: str | None = Field(default=None, max_length=32)


class CancelOrder(Order):
    """Boards by their ids; null: every board that has not installed its update yet."""

    devices: list[str] | None = Field(default=None, max_length=4096)


class BoardAnswer(Answer):
    """A board. state: `waiting`, `announced`, `approved` or `revoked`; rejected: messages refused since the start."""

    id: str
    board: str
    state: str
    door_id: str | None
    door_name: str | None
    online: bool
    firmware: str | None
    heard_at: datetime | None
    rejected: int
    adopted_at: datetime | None
    approved_at: datetime | None
    revoked_at: datetime | None
    certificate: bool
    role: str
    name: str | None
    available: str | None
    update: UpdateAnswer | None


class AdoptedAnswer(Answer):
    """The files of an adopted board: config.json, in Base64 those of tls/ and firmware.key. Given out once."""

    board: BoardAnswer
    again: bool
    config: dict[str, Any]
    tls: dict[str, str]
    firmware_key: str


class RekeyAnswer(Answer):
    """The number of the key that the board uses from now on."""

    id: str
    epoch: int


class AdoptOrder(Order):
    """A board to adopt. `again` makes new keys for one that is known, and shuts out whatever holds the old ones."""

    id: str = Field(max_length=128)
    board: str = Field(max_length=128)
    broker: str | None = Field(default=None, max_length=128)
    again: bool = False


class ApproveOrder(Order):
    """The door that a board is to keep: a new one, or one whose board is gone."""

    door: str = Field(max_length=256)
    strike_s: int | None = None
    held_s: int | None = None
