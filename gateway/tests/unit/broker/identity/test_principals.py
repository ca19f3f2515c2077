"""Names, secrets, and what happens to both."""

import hashlib

import pytest

from doorward.broker import Principal, Principals, Role

SECRET = "ab" * 32


def test_only_the_right_secret_of_the_right_name():
    principals = Principals()
    principals.add("front", SECRET)
    principals.add("back", "cd" * 32)
    assert principals.check("front", SECRET.encode()) == Principal("front", Role.DEVICE)
    assert principals.check("front", b"cd" * 32) is None
    assert principals.check("back", SECRET.encode()) is None
    assert principals.check("nobody", SECRET.encode()) is None
    assert principals.check("front", b"") is None
    assert principals.check("", b"") is None


def test_there_is_no_default_principal():
    principals = Principals()
    assert principals.names() == ()
    for name in ("", "admin", "gateway", "anonymous"):
        assert principals.check(name, b"") is None


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "with space", "x" * 33, "ü"])
def test_a_name_is_an_id(name):
    with pytest.raises(ValueError, match="client id"):
        Principals().add(name, SECRET)


def test_a_short_secret_is_refused_and_not_repeated():
    with pytest.raises(ValueError, match="shorter") as refused:
        Principals().add("front", "hunter2")
    assert "hunter2" not in str(refused.value)


def test_changes_are_told_with_the_digest_alone():
    told = []
    principals = Principals()
    principals.changed = lambda principal, digest, *, keep: told.append((principal, digest, keep))
    front = principals.add("front", SECRET)
    principals.add("gateway", SECRET, Role.GATEWAY, keep=False)
    assert principals.remove("front")
    assert not principals.remove("front")
    digest = hashlib.sha256(SECRET.encode()).digest()
    assert told == [
        (front, digest, True),
        (Principal("gateway", Role.GATEWAY), digest, False),
        (front, None, True),
    ]
    assert principals.check("front", SECRET.encode()) is None
    assert SECRET not in repr(vars(principals))


def test_what_the_store_remembers_does_not_replace_what_was_added():
    principals = Principals()
    principals.add("front", SECRET)
    principals.restore(Principal("front"), hashlib.sha256(b"old").digest())
    assert principals.check("front", SECRET.encode())
    assert principals.check("front", b"old") is None


def test_a_device_cannot_be_given_the_name_of_the_gateway():
    principals = Principals()
    principals.add("gateway", SECRET, Role.GATEWAY)
    with pytest.raises(ValueError, match="name of a gateway"):
        principals.add("gateway", SECRET)
    assert principals.get("gateway") == Principal("gateway", Role.GATEWAY)
