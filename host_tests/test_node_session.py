# One open question: for 5 s, by ticks that wrap after 12.4 days. And what is told of refusals.

from doorward_core import seal
from doorward_core.compat import ticks_add
from doorward_node.session import Nonce, Session

DAY = 86400000
START = (1 << 30) - 400


def after(days, asked_daily):
    # Whether the answer still counts that many days later.
    nonce, now = Nonce(), START
    value = nonce.open(now)
    for _ in range(days):
        now = ticks_add(now, DAY)
        if asked_daily:
            nonce.expire(now)
    return nonce.take(value, now)


def test_an_answer_counts_once_within_five_seconds():
    nonce = Nonce()
    value = nonce.open(START)
    nonce.expire(ticks_add(START, 5000))
    assert nonce.take(value, ticks_add(START, 5000))
    assert not nonce.take(value, ticks_add(START, 5000))
    value = nonce.open(START)
    assert not nonce.take(value, ticks_add(START, 5001))


def test_an_answer_withheld_for_days_never_counts():
    assert not after(1, False) and not after(8, False) and not after(19, False)
    assert not after(1, True) and not after(8, True) and not after(19, True)


def test_what_has_expired_stays_so_when_ticks_come_round():
    nonce, now = Nonce(), START
    value = nonce.open(now)
    for _ in range(4):
        now = ticks_add(now, 1 << 28)
        nonce.expire(now)
    assert not nonce.take(value, ticks_add(now, 1000))


def test_refusals_are_told_once_a_minute():
    session = Session(seal.Keys("front", bytes(32)))
    assert session.refusals(0) == {}
    session.refuse("mac")
    session.refuse("mac")
    session.refuse("late")
    assert session.refusals(0) == {"mac": 2, "late": 1}
    session.refuse("mac")
    assert session.refusals(59) == {}
    assert session.refusals(60) == {"mac": 1}
    assert session.refused == 4


def test_refusals_are_told_after_a_week_without_any():
    session = Session(seal.Keys("front", bytes(32)))
    session.refuse("mac")
    assert session.refusals(10) == {"mac": 1}
    session.refuse("mac")
    assert session.refusals(8 * 86400) == {"mac": 1}
