"""Users and rules where another program is the broker, on a disk that refuses and then does not."""

from typing import Any

import pytest
from broker_support import BASE, KEY

from doorward.broker import Policy, Principals
from doorward.broker.rights.kept_rules import KeptRules
from doorward.broker.store import BrokerStore
from doorward.runtime.brokers.desk import BrokerDesk


class Refusing(BrokerStore):
    """Takes nothing while `full`."""

    full = True

    def write(self, batch, done):
        if self.full:
            done(OSError("disk full"))
        else:
            super().write(batch, done)


class Elsewhere:
    log = ""

    def __init__(self):
        self.told = []

    async def check_new(self, name): ...

    async def tell(self, name=None, password=None):
        self.told.append((name, password))

    def needs_password(self, name):
        return False


class Passwords:
    async def hash(self, password):
        return f"${password}"

    async def verify(self, hashed, password):
        return hashed == f"${password}"


def kept(store):
    principals = Principals()
    rules = KeptRules(store, principals, Policy(BASE))
    rules.start()
    return rules


def users(rules):
    return [one.name for one in rules.acl.users()]


@pytest.mark.parametrize("again", ["another change", "the end"])
async def test_what_the_disk_refused_is_written_when_it_takes_it(tmp_path, again):
    path = tmp_path / "broker.db"
    store: Any = Refusing.open(path, KEY)
    rules = kept(store)
    rules.acl.add_user("sam", "$hash", ())
    with pytest.raises(OSError, match="disk full"):
        await rules.acl.settle()
    store.full = False
    if again == "another change":
        rules.acl.add_user("eve", "$hash", ())
        await rules.acl.settle()
        assert set(store.load().users) == {"eve", "sam"}
    await rules.stop()
    after = kept(BrokerStore.open(path, KEY))
    assert "sam" in users(after)
    await after.stop()


async def test_who_is_shut_out_is_out_whatever_the_disk_says(tmp_path):
    store: Any = Refusing.open(tmp_path / "broker.db", KEY)
    rules, other = kept(store), Elsewhere()
    desk = BrokerDesk(rules, store, Passwords(), built_in=(), elsewhere=other)
    store.full = False
    await desk.add_user("sam", "correct horse battery", (), actor="ann")
    assert other.told == [("sam", "correct horse battery")]
    store.full = True
    with pytest.raises(OSError, match="disk full"):
        await desk.remove_user("sam", actor="ann")
    assert users(rules) == []
    assert other.told[1:] == [(None, None)]
    store.full = False
    await rules.stop()
