# Commands from the gateway. What opens something is challenged: a nonce of its own, used once.

from doorward_core import board_messages, seal
from doorward_core.messages import number
from doorward_node.session import Nonce


class Commands:
    # doorway: node.doorway.Doorway. handle() returns the body to publish as commands/ack.
    def __init__(self, doorway) -> None:
        self.doorway = doorway
        self.release = Nonce()
        self.rekey = Nonce()
        self.status_wanted = False
        # Of the parts beside the lock: name -> function(parameters, now), which returns the result.
        self.more = {}  # type: ignore[var-annotated]
        # A code_guard.CodeGuard, where the door has a keypad.
        self.codes = None
        # A self-test that was asked for: its command's id and parameters, and () until it is over.
        self.testing: "tuple | None" = None

    def handle(self, kind: str, value: "bytes | int | str", body: bytes, now: int) -> bytes:
        # One verified command. kind "n": sealed to a nonce, the only way to open; raises
        # seal.SealError("late") if that nonce is not the open one. Raises MessageError.
        if kind == "n" and not (isinstance(value, bytes) and self.release.take(value, now)):
            raise seal.SealError("late")
        name, command_id, parameters = board_messages.parse_command(body)
        if kind == "n":
            result = self.challenged(name, command_id, parameters, now)
        elif name == "challenge" and parameters.get("for") in ("unlock", "rekey"):
            nonce = self.release if parameters["for"] == "unlock" else self.rekey
            return board_messages.challenge_answer(command_id, nonce.open(now))
        elif name == "selftest":
            result = "already"
            if self.testing is None:
                result = "started"
                self.testing = command_id, parameters
        else:
            result = self.stated(name, parameters, now)
        return board_messages.command_result(command_id, result)

    def challenged(
        self, name: str, command_id: str, parameters: "dict[str, object]", now: int
    ) -> str:
        # The result of a command that was sealed to the nonce.
        cause: "dict[str, object]" = {"cause": "release", "command_id": command_id}
        if name == "release" and self.codes:
            return self.codes.release(now, cause)
        if name != "unlock":
            return "refused"
        return self.doorway.release(now, cause, number(parameters, "seconds", 1, 60))

    def stated(self, name: str, parameters: "dict[str, object]", now: int) -> str:
        # The result of any other: it opens nothing.
        if name == "lock":
            self.doorway.lock(now)
        elif name == "status":
            self.status_wanted = True
        elif name in self.more:
            return self.more[name](parameters, now)
        else:
            return "unknown"
        return "done"

    def expire(self, now: int) -> None:
        self.release.expire(now)
        self.rekey.expire(now)
