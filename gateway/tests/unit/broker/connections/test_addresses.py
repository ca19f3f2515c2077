"""What counts as one address."""

import pytest

from doorward.broker.connections.addresses import PerAddress


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "::ffff:192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_the_same(first, second):
    addresses = PerAddress(1)
    addresses.add(first)
    assert addresses.is_full(second)
    addresses.discard(second)
    assert not addresses.is_full(first)
    assert addresses._counts == {}


@pytest.mark.parametrize("second", ["192.0.2.8", "2001:db8:1:3::1"])
@pytest.mark.parametrize("first", ["192.0.2.7", "2001:db8:1:2::1"])
def test_another(first, second):
    addresses = PerAddress(1)
    addresses.add(first)
    assert not addresses.is_full(second)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "", "local"])
def test_not_counted(host):
    addresses = PerAddress(1)
    for _ in range(3):
        addresses.add(host)
    assert not addresses.is_full(host)
    addresses.discard(host)
    assert addresses._counts == {}


def test_up_to_the_limit():
    addresses = PerAddress(2)
    addresses.add("192.0.2.7")
    assert not addresses.is_full("192.0.2.7")
    addresses.add("192.0.2.7")
    assert addresses.is_full("192.0.2.7")
