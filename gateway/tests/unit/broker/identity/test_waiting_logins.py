"""What a login costs those who did nothing wrong, and what is left of one that nobody waits for any more."""

import asyncio
import logging

import pytest

from doorward.broker import Principals
from doorward.broker.identity import logins
from doorward.broker.identity.logins import PasswordLogins
from doorward.broker.identity.ports import Refusal
from doorward.broker.identity.welcome import Welcome
from doorward_core import mqtt

HOME = "192.0.2.7"


class Passwords:
    """Its own reverse is the hash of a password; waits while `gate` is shut, then raises what `breaks` is."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.breaks: Exception | None = None
        self.begun = 0

    async def hash(self, password: str) -> str:
        return password[::-1]

    async def verify(self, hashed: str, password: str) -> bool:
        self.begun += 1
        await self.gate.wait()
        if self.breaks is not None:
            raise self.breaks
        return hashed == password[::-1]


class Door:
    def __init__(self) -> None:
        self.now = 1000.0
        self.passwords = Passwords()
        self.principals = Principals()
        self.principals.put_user("sam", frozenset(), "right"[::-1])
        self.logins = PasswordLogins(self.principals, self.passwords, lambda: self.now)

    async def refused(self, name: str, secret: str, address: str = HOME) -> Refusal | None:
        answer = self.logins.check(name, secret.encode(), address)
        assert not isinstance(answer, Refusal)
        answer = await answer
        return answer if isinstance(answer, Refusal) else None

    def counted(self, address: str) -> int:
        return self.logins._addresses._failures.get(address, (0, 0.0))[0]


@pytest.fixture
def door() -> Door:
    return Door()


async def test_who_was_wrong_and_then_right_has_cost_its_address_only_what_was_wrong(door):
    """Mutants: the login that proved right stays counted; it clears what others did."""
    assert await door.refused("sam", "right") is None
    await door.refused("eve", "guess")
    for wait in (0, 0, 0, 0, 0, 2.1):
        door.now += wait
        await door.refused("sam", "wrong")
    assert door.counted(HOME) == 7
    for _ in range(2):
        door.now += 61
        assert await door.refused("sam", "right") is None
        assert door.counted(HOME) == 7
    assert not door.logins._names.warned(f"{HOME} sam")


async def test_who_is_one_too_many_is_told_of_what(door, monkeypatch):
    monkeypatch.setattr(logins, "_WAITING", 3)
    monkeypatch.setattr(logins, "_WAITING_PER_PLACE", 2)
    door.passwords.gate.clear()
    line = [asyncio.ensure_future(door.refused("sam", "x")) for _ in range(4)]
    await asyncio.sleep(0)
    full = door.logins.check("sam", b"x", HOME)
    line.append(asyncio.ensure_future(door.refused("sam", "x", "10.0.0.1")))
    await asyncio.sleep(0)
    full_for_all = door.logins.check("sam", b"x", "10.0.0.2")
    assert full == Refusal(mqtt.UNAVAILABLE, f"too many logins from {HOME} at once")
    assert isinstance(full_for_all, Refusal)
    assert full_for_all.code == mqtt.UNAVAILABLE
    assert "10.0.0.2" not in full_for_all.reason
    door.passwords.gate.set()
    await asyncio.gather(*line)


async def test_what_fails_when_nobody_waits_for_it_is_in_the_log(door, caplog):
    """Mutant: its exception is retrieved by nobody; then asyncio says so, whenever it is collected."""
    door.passwords.gate.clear()
    login = asyncio.ensure_future(door.refused("sam", "right"))
    while not door.passwords.begun:  # noqa: ASYNC110 - a turn of the loop or two
        await asyncio.sleep(0)
    login.cancel()
    await asyncio.sleep(0)
    door.passwords.breaks = RuntimeError("no thread is left")
    with caplog.at_level(logging.ERROR):
        door.passwords.gate.set()
        await asyncio.wait([login])
    assert login.cancelled()
    (record,) = caplog.records
    assert record.name == logins.__name__
    assert record.exc_info is not None
    assert record.exc_info[1] is door.passwords.breaks


def test_the_place_that_is_used_daily_is_told_when_it_was_not_the_newest():
    """Mutants: told at every login; told only when it is new."""
    told = []
    welcome = Welcome()
    welcome.restore([("sam", "daily"), ("sam", "other")])
    welcome.changed = lambda *change: told.append(change)
    for place in ("other", "daily", "daily", "daily"):
        welcome.add("sam", place)
    assert told == [("sam", "daily", True)]
    for number in range(15):
        welcome.add("sam", f"new{number}")
    assert welcome.has("sam", "daily")
    assert told[-1] == ("sam", "other", False)
