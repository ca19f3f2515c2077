"""How fast one principal may publish, on a clock that the test moves."""

import pytest

from doorward.broker import Limits, Principal, Role
from doorward.broker.connections.rates import Rates
from doorward_core import mqtt

SAM = Principal("sam", Role.USER)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def rates(clock, rate=10.0, size=0.0):
    return Rates(Limits(publish_rate=rate, publish_bytes=size), clock)


def publishes(count, size=1):
    return [(mqtt.PUBLISH, 0, bytes(size))] * count


def test_who_asks_whether_we_live_asks_for_something(clock):
    allowance = rates(clock).of(SAM)
    taken = 0
    while allowance.takes([(mqtt.PINGREQ, 0, b"")]) and taken < 100:
        taken += 1
    assert taken == 20


def test_two_seconds_worth_at_once_and_then_the_rate(clock):
    allowance = rates(clock).of(SAM)
    taken = 0
    while allowance.takes(publishes(1)):
        taken += 1
    assert taken == 20
    clock.now += 0.1
    assert allowance.takes(publishes(1))
    assert not allowance.takes(publishes(1))
    for _ in range(100):
        clock.now += 0.5
        while allowance.takes(publishes(1)):
            taken += 1
    assert taken == 20 + 500
    clock.now += 3600
    taken = 0
    while allowance.takes(publishes(1)):
        taken += 1
    assert taken == 20, "an hour of silence is no credit for an hour"


def test_what_one_read_brought_is_paid_back(clock):
    allowance = rates(clock).of(SAM)
    assert allowance.takes(publishes(70))
    clock.now += 4.9
    assert not allowance.takes(publishes(1))
    clock.now += 0.2
    assert allowance.takes(publishes(1))


def test_bytes_have_a_rate_of_their_own(clock):
    allowance = rates(clock, rate=0, size=1000).of(SAM)
    assert allowance.takes(publishes(1000, 0))
    assert allowance.takes(publishes(1, 2500))
    assert not allowance.takes(publishes(1))
    clock.now += 0.6
    assert allowance.takes(publishes(1))


def test_a_packet_full_of_filters_costs_as_much_as_many_messages(clock):
    allowance = rates(clock).of(SAM)
    assert allowance.takes([(mqtt.SUBSCRIBE, 0, bytes(25_600))])
    assert not allowance.takes([(mqtt.UNSUBSCRIBE, 0, bytes(10))])
    clock.now += 9
    assert allowance.takes([(mqtt.UNSUBSCRIBE, 0, bytes(10))])


def test_what_asks_for_nothing_costs_nothing(clock):
    allowance = rates(clock).of(SAM)
    assert allowance.takes(publishes(100))
    others = [(mqtt.PUBACK, 0, b"\0\1"), (mqtt.PUBCOMP, 0, b"\0\1")]
    for _ in range(1000):
        assert allowance.takes(others)
    assert not allowance.takes([*others, *publishes(1)])


def test_it_is_the_principals_and_each_has_its_own(clock):
    known = rates(clock)
    assert known.of(SAM).takes(publishes(1000))
    assert not known.of(Principal("sam", Role.USER)).takes(publishes(1))
    assert known.of(Principal("eve", Role.USER)).takes(publishes(1))


def test_who_is_not_bound(clock):
    assert rates(clock, 0, 0).of(SAM) is None
    assert rates(clock).of(Principal("gateway", Role.GATEWAY)) is None
    assert rates(clock).of(Principal("front")) is not None


def test_releasing_costs_a_little(clock):
    """Who says PUBREL again and again, for what was never held, is read from more slowly as well."""
    allowance = rates(clock).of(SAM)
    release = [(mqtt.PUBREL, 2, b"\0\1")]
    taken = 0
    while allowance.takes(release) and taken < 1000:
        taken += 1
    assert taken == 20 * 8, "twenty messages at once, and eight of these are one"
