# The body of a message: compact JSON, and the checks that every field goes through.
#
# What a board builds and reads stands in board_messages, the mirror image in gateway_messages:
# a board then carries only its own half.

import binascii
import json


class MessageError(ValueError):
    # field: the name of what is wrong, "" for the body as a whole. The sender is at fault.
    def __init__(self, field: str, need: str) -> None:
        super().__init__((field or "body") + ": need " + need)
        self.field = field


def encode(fields: "dict[str, object]") -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def decode(body: bytes) -> "dict[str, object]":
    # A JSON object; raises MessageError. Only for bodies whose seal has been verified.
    try:
        fields = json.loads(body)
    except (ValueError, RuntimeError):
        # RuntimeError: nested deeper than the stack, on either interpreter.
        raise MessageError("", "JSON")
    if not isinstance(fields, dict):
        raise MessageError("", "a JSON object")
    return fields


def text(fields: "dict[str, object]", name: str, longest: int = 64) -> str:
    # Text of at most longest bytes in UTF-8.
    value = fields.get(name)
    if isinstance(value, str):
        try:
            if len(value.encode()) <= longest:
                return value
        except ValueError:
            # JSON can spell half a character ("\\ud800"); no database and no page can take it.
            pass
    raise MessageError(name, "text of at most " + str(longest) + " bytes")


def number(fields: "dict[str, object]", name: str, low: int = 0, high: int = 1 << 53) -> int:
    value = fields.get(name)
    # bool is an int in Python, and "seconds": true is not a number of seconds.
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise MessageError(name, "a whole number from " + str(low) + " to " + str(high))
    return value


def flag(fields: "dict[str, object]", name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise MessageError(name, "true or false")
    return value


def raw(fields: "dict[str, object]", name: str, size: int) -> bytes:
    # Exactly size bytes, sent as hex.
    value = fields.get(name)
    if isinstance(value, str) and len(value) == 2 * size:
        try:
            return binascii.unhexlify(value)
        except ValueError:
            pass
    raise MessageError(name, str(2 * size) + " hex digits")


def part(fields: "dict[str, object]", name: str) -> "dict[str, object]":
    value = fields.get(name)
    if not isinstance(value, dict):
        raise MessageError(name, "an object")
    return value


def hexed(data: bytes) -> str:
    return binascii.hexlify(data).decode()
