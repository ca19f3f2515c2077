"""When a client that says nothing is dropped."""

from doorward.broker import Limits
from doorward.broker.connections.patience import overdue

LIMITS = Limits(stalled=60.0)


def test_one_and_a_half_of_the_keep_alive_it_promised():
    assert overdue(15.0, 10.0, LIMITS, unfinished=False) is None
    assert overdue(15.1, 10.0, LIMITS, unfinished=False) == (
        "nothing heard for 15.1 s with a keep-alive of 10 s"
    )


def test_who_promised_nothing_may_say_nothing():
    assert overdue(1e6, 0, LIMITS, unfinished=False) is None


def test_half_a_packet_has_to_go_on():
    assert overdue(60.0, 0, LIMITS, unfinished=True) is None
    assert overdue(60.1, 0, LIMITS, unfinished=True) == "half a packet, and nothing more for 60.1 s"
    assert overdue(60.1, 1000.0, LIMITS, unfinished=True) is not None
