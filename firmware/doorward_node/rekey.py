# A new device key from the gateway. Loaded when one comes, which is seldom.
#
# It is in force with the next start: every part of the board holds the old one.

import json

from doorward_core import board_messages
from doorward_core.compat import aes_cbc
from doorward_core.messages import hexed, number, raw
from doorward_core.seal import Keys
from doorward_node import files


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
