# A new key from the gateway: this device's own, or the one that signs firmware. Loaded when one
# comes, which is seldom.
#
# The device's own is in force with the next start: every part of the board holds the old one.

import json
from binascii import a2b_base64

from doorward_core import board_messages
from doorward_core.compat import aes_cbc
from doorward_core.messages import MessageError, hexed, number, raw, text
from doorward_core.seal import Keys
from doorward_node import files

# Of the RSA modulus, and of that in Base64.
_SIZE = 384
_BASE64 = 512


def take(path: str, keys: Keys, nonce: bytes, body: bytes) -> "tuple[bytes, bool]":
    # A verified command with a key: (the body to publish as commands/ack, whether the board has to
    # start again). path: of config.json; the other key lies beside it. Raises as install() does.
    name, command_id, parameters = board_messages.parse_command(body)
    if name == "rekey":
        return install(path, keys, nonce, body), True
    if name != "trust":
        return board_messages.command_result(command_id, "unknown"), False
    try:
        modulus = a2b_base64(text(parameters, "key", _BASE64))
    except ValueError:
        modulus = b""
    if len(modulus) != _SIZE:
        raise MessageError("key", "384 bytes in Base64")
    files.replace(path[: path.rfind("/") + 1] + "firmware.key", modulus)
    return board_messages.command_result(command_id, "done"), False


def install(path: str, keys: Keys, nonce: bytes, body: bytes) -> bytes:
    # Writes the key in a verified command into the config.json at path, in one step: the body to
    # publish as commands/ack. Raises MessageError, OSError if it could not be written.
    _name, command_id, parameters = board_messages.parse_command(body)
    # One step at a time, never back: a former key is known to more people than the present one.
    epoch = number(parameters, "epoch", keys.epoch + 1, keys.epoch + 1)
    key = aes_cbc(keys.derive("rekey")[:16], nonce).decrypt(raw(parameters, "key", 32))
    with open(path) as file:
        config = json.load(file)
    config["former_key"], config["key"], config["key_epoch"] = config["key"], hexed(key), epoch
    files.replace(path, json.dumps(config).encode())
    return board_messages.command_result(command_id, "done")
