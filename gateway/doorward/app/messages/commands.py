"""A command to a board: its id, and its words as they are sealed."""

import secrets

from doorward.app.ports import Clock
from doorward_core import gateway_messages, timestamps


def new_id() -> str:
    """An id that no other command has, as the board and the audit quote it."""
    return "cmd_" + secrets.token_hex(8)


def command(
    name: str, parameters: dict[str, object], command_id: str, ttl_s: int, clock: Clock
) -> bytes:
    """The body of a command that is given now, and is worth nothing after `ttl_s`."""
    stamp = timestamps.iso(int(clock.now().timestamp()))
    return gateway_messages.command(name, parameters, command_id, stamp, ttl_s)
