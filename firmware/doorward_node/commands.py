# Commands from the gateway. What opens something is challenged: a nonce of its own, used once.

from doorward_core import board_messages, seal
from doorward_core.messages import number
from doorward_node.nonce import Nonce


class Commands:
    # doorway: node.doorway.Doorway. handle() returns the body to publish as commands/ack.
    def __init__(self, doorway) -> None:  # type: ignore[no-untyped-def]
        self._doorway = doorway
        self._release = Nonce()
        self.status_wanted = False

    def handle(self, kind: str, value: "bytes | int | str", body: bytes, now: int) -> bytes:
        # One verified command. kind "n": sealed to a nonce, the only way to open; raises
        # seal.SealError("late") if that nonce is not the open one. Raises MessageError.
        if kind == "n":
            if not isinstance(value, bytes) or not self._release.take(value, now):
                raise seal.SealError("late")
            return self._challenged(board_messages.parse_command(body), now)
        command = board_messages.parse_command(body)
        if command.name == "challenge" and command.parameters.get("for") == "unlock":
            return board_messages.challenge_answer(command.command_id, self._release.open(now))
        if command.name == "lock":
            self._doorway.lock(now)
            return board_messages.command_result(command.command_id, "done")
        if command.name == "status":
            self.status_wanted = True
            return board_messages.command_result(command.command_id, "done")
        return board_messages.command_result(command.command_id, "unknown")

    def _challenged(self, command: board_messages.Command, now: int) -> bytes:
        if command.name != "unlock":
            return board_messages.command_result(command.command_id, "refused")
        seconds = number(command.parameters, "seconds", 1, 60)
        cause: "dict[str, object]" = {"cause": "release", "command_id": command.command_id}
        result = self._doorway.release(now, cause, seconds)
        return board_messages.command_result(command.command_id, result)
