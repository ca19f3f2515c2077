"""The account that says who may do what on our Mosquitto, and the file in which its plugin finds it first."""

import base64
import hashlib
import json
import secrets
from pathlib import Path

from doorward import private_file
from doorward.errors import KeyFileError

PREFIX = "doorward/"  # of every role that is ours; behind it stands the name of the one client that has it
# No board and no user can have this name or this role: theirs have no slash.
CONTROL = "doorward/control/account"
_CONTROL_TOPIC = "$CONTROL/dynamic-security/#"
_ITERATIONS = 101  # what the plugin itself uses; the password is 256 random bits
_SALT_BYTES = 12
_SECRET_DIGITS = 64


def load_or_create(path: Path) -> str:
    """The password of the control account, made up where there is none. Raises KeyFileError."""
    private_file.create(path, (secrets.token_hex(32) + "\n").encode())
    return load(path)


def load(path: Path) -> str:
    """The password of the control account. Raises KeyFileError, which names the file."""
    if not path.exists():
        raise KeyFileError(
            f"there is no {path}: Mosquitto was not set up here",
            "run `doorward broker mosquitto setup`",
        )
    secret = private_file.read_key(path).decode(errors="replace").strip()
    if len(secret) != _SECRET_DIGITS:
        raise KeyFileError(
            f"{path} does not hold the password of our account on Mosquitto",
            "run `doorward broker mosquitto setup --again`",
        )
    return secret


def first_security(secret: str, base: str) -> bytes:
    """What the plugin starts with: one account, that may say who else there is, and nobody may do anything else.

    It may also read and clear what is retained under `base`: what a revoked board left has to go.
    """
    tree = base + "/#"
    allowed = [
        *(_allow(kind, _CONTROL_TOPIC) for kind in ("publishClientSend", "publishClientReceive")),
        _allow("subscribePattern", _CONTROL_TOPIC),
        *(_allow(kind, tree) for kind in ("publishClientSend", "publishClientReceive")),
        _allow("subscribePattern", tree),
    ]
    salt = secrets.token_bytes(_SALT_BYTES)
    hashed = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ITERATIONS)
    content = {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [
            {
                "username": CONTROL,
                "clientid": CONTROL,
                "textname": "doorward: says who may do what",
                "roles": [{"rolename": CONTROL}],
                "password": base64.b64encode(hashed).decode(),
                "salt": base64.b64encode(salt).decode(),
                "iterations": _ITERATIONS,
            }
        ],
        "groups": [],
        "roles": [{"rolename": CONTROL, "acls": allowed}],
    }
    return json.dumps(content, indent="\t").encode()


def _allow(kind: str, topic: str) -> dict[str, object]:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
