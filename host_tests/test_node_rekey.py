# A new device key: sealed under the old one, one step up, in one rename.

import json

from scratch import folder
from support import raises, vectors

from doorward_core import gateway_messages, gateway_seal, seal, topics
from doorward_core.messages import MessageError, hexed
from doorward_node import rekey

VECTOR = vectors("key")
NONCE = bytes.fromhex(VECTOR["nonce"])
OLD = bytes.fromhex(VECTOR["secret"])
NEW = bytes.fromhex(VECTOR["next"])
KEYS = seal.Keys("front", OLD, 3)


def config():
    path = folder() + "/config.json"
    with open(path, "w") as file:
        json.dump({"id": "front", "key": VECTOR["secret"], "key_epoch": 3, "wifi": None}, file)
    return path


def read(path):
    with open(path) as file:
        return json.load(file)


def body(epoch=4, wrapped=VECTOR["wrapped"]):
    parameters = {"epoch": epoch, "key": wrapped}
    return gateway_messages.command("rekey", parameters, "c1", "2026-11-21T10:30:00Z", 20)


def test_the_wrapped_key_is_the_vectors():
    assert hexed(gateway_seal.encrypt_key(KEYS, NONCE, NEW)) == VECTOR["wrapped"]


def test_the_new_key_takes_the_old_ones_place_and_the_rest_stays():
    path = config()
    ack = rekey.install(path, KEYS, NONCE, body())
    assert json.loads(ack) == {"command_id": "c1", "result": "done"}
    assert read(path) == {
        "id": "front",
        "key": VECTOR["next"],
        "former_key": VECTOR["secret"],
        "key_epoch": 4,
        "wifi": None,
    }


def test_only_one_step_up_is_taken():
    path = config()
    before = read(path)
    for epoch in (2, 3, 5):
        found = raises(MessageError, rekey.install, path, KEYS, NONCE, body(epoch))
        assert found.field == "epoch"
    found = raises(MessageError, rekey.install, path, KEYS, NONCE, body(4, "ab"))
    assert found.field == "key"
    assert read(path) == before


def test_the_leaf_takes_nothing_but_a_nonce():
    assert topics.label(topics.REKEY, "n") == "down.rekey"
    for kind in ("s", "c", "e"):
        assert topics.label(topics.REKEY, kind) is None
