"""Guessing passwords costs time, and costs it nobody but whoever guesses."""

import asyncio
from dataclasses import dataclass, field

import pytest

from doorward.broker import Principal, Principals, Role
from doorward.broker.identity.logins import PasswordLogins
from doorward.broker.ports import Refusal
from doorward_core import mqtt

HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"
SECRET = "a" * 64


@dataclass
class SlowPasswords:
    """The hash of a password is the password reversed; counts what it is asked, and waits while `gate` is shut."""

    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def hash(self, password: str) -> str:
        return password[::-1]

    async def verify(self, hashed: str, password: str) -> bool:
        self.asked.append(password)
        await self.gate.wait()
        return hashed == password[::-1]


class Door:
    def __init__(self) -> None:
        self.now = 1000.0
        self.principals = Principals()
        self.principals.put_user("sam", frozenset({"User"}), "right"[::-1])
        self.principals.put_user("tess", frozenset(), "hers"[::-1])
        self.principals.add("front", SECRET)
        self.passwords = SlowPasswords()
        self.passwords.gate.set()
        self.logins = PasswordLogins(self.principals, self.passwords, lambda: self.now)

    async def knock(self, name: str, secret: str, address: str) -> Principal | Refusal:
        answer = self.logins.check(name, secret.encode(), address)
        return answer if isinstance(answer, Principal | Refusal) else await answer

    async def code(self, name: str, secret: str, address: str = HOME) -> int:
        answer = await self.knock(name, secret, address)
        return 0 if isinstance(answer, Principal) else answer.code


@pytest.fixture
def door() -> Door:
    return Door()


async def test_the_right_password_and_nothing_else(door):
    assert await door.knock("sam", "right", HOME) == Principal(
        "sam", Role.USER, frozenset({"User"})
    )
    for name, secret in (("sam", "wrong"), ("sam", ""), ("nobody", "right"), ("", "")):
        assert await door.code(name, secret) == mqtt.BAD_LOGIN


async def test_a_wrong_name_takes_the_way_of_a_wrong_password(door):
    """Both ask the slow hash once: the time tells nothing. Mutant: unknown names refused at once."""
    await door.code("sam", "x")
    for name in ("sam", "nobody", "SAM"):
        before = len(door.passwords.asked)
        assert await door.code(name, "wrong", ELSEWHERE) == mqtt.BAD_LOGIN
        assert len(door.passwords.asked) == before + 1


async def test_guessing_waits_longer_and_longer_though_the_guess_is_right(door):
    """Mutant: no `failed`."""
    for _ in range(5):
        assert await door.code("sam", "wrong") == mqtt.BAD_LOGIN
    assert await door.code("sam", "right") == mqtt.UNAVAILABLE
    door.now += 2.1
    assert await door.code("sam", "wrong") == mqtt.BAD_LOGIN
    door.now += 2.1
    assert await door.code("sam", "right") == mqtt.UNAVAILABLE
    door.now += 2.0
    assert await door.code("sam", "right") == 0
    assert await door.code("sam", "wrong") == mqtt.BAD_LOGIN, "and it begins anew"


async def test_no_wait_is_longer_than_a_minute(door):
    guesses = 0
    for _ in range(3600):
        asked = len(door.passwords.asked)
        await door.code("sam", "wrong")
        guesses += len(door.passwords.asked) - asked
        door.now += 1
    assert 50 < guesses < 80
    door.now += 60
    assert await door.code("sam", "right") == 0


async def test_a_stranger_elsewhere_never_shuts_a_user_out(door):
    """The attacker knows the name and guesses without end; the victim comes in from her own address, first try."""
    for _ in range(500):
        await door.code("sam", "wrong", ELSEWHERE)
        door.now += 0.1
    assert await door.code("sam", "right", ELSEWHERE) == mqtt.UNAVAILABLE
    assert await door.code("sam", "right", HOME) == 0


async def test_guessing_at_many_names_makes_the_address_wait_and_nobody_who_was_welcome_there(door):
    assert await door.code("tess", "hers", HOME) == 0
    for number in range(100):
        await door.code(f"name{number}", "x", HOME)
    assert await door.code("sam", "right", HOME) == mqtt.UNAVAILABLE
    assert await door.code("sam", "right", ELSEWHERE) == 0
    assert await door.code("tess", "hers", HOME) == 0, "she came in from there before"


async def test_a_board_never_waits(door):
    for _ in range(100):
        await door.code("front", "wrong", HOME)
        await door.code("sam", "wrong", HOME)
    door.passwords.gate.clear()
    answer = door.logins.check("front", SECRET.encode(), HOME)
    assert answer == Principal("front"), "at once, whatever the passwords take"


async def test_the_failures_of_a_network_of_2_to_the_64_addresses_are_one_places(door):
    for number in range(5):
        await door.code("sam", "wrong", f"2001:db8::{number:x}")
    assert await door.code("sam", "right", "2001:db8::ffff") == mqtt.UNAVAILABLE
    assert await door.code("sam", "right", "2001:db8:0:1::1") == 0


async def test_guesses_at_the_same_time_are_few_and_each_counts(door):
    door.passwords.gate.clear()
    tries = [asyncio.ensure_future(door.code("sam", "wrong")) for _ in range(200)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(door.passwords.asked) <= 16
    door.passwords.gate.set()
    await asyncio.gather(*tries)
    door.now += 61
    door.passwords.gate.clear()
    before = len(door.passwords.asked)
    tries = [asyncio.ensure_future(door.code("sam", "wrong")) for _ in range(200)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(door.passwords.asked) == before + 1, "who failed before has one guess at a time"
    door.passwords.gate.set()
    await asyncio.gather(*tries)
    assert not door.logins._judging


async def test_all_clients_of_a_user_come_back_at_once(door):
    assert await asyncio.gather(*(door.code("sam", "right") for _ in range(15))) == [0] * 15


async def test_a_full_waiting_room_of_one_address_leaves_room_for_others(door):
    door.passwords.gate.clear()
    tries = [asyncio.ensure_future(door.code(f"n{number}", "x")) for number in range(50)]
    await asyncio.sleep(0)
    other = asyncio.ensure_future(door.code("tess", "hers", ELSEWHERE))
    await asyncio.sleep(0)
    door.passwords.gate.set()
    assert await other == 0
    assert (await asyncio.gather(*tries)).count(mqtt.UNAVAILABLE) == 34


async def test_a_password_changed_while_it_is_compared_lets_nobody_in(door):
    door.passwords.gate.clear()
    trying = asyncio.ensure_future(door.code("sam", "right"))
    await asyncio.sleep(0)
    door.principals.put_user("sam", frozenset(), "other"[::-1])
    door.passwords.gate.set()
    assert await trying == mqtt.BAD_LOGIN


async def test_what_is_no_text_or_far_too_long_is_wrong(door):
    long = "x" * 300
    door.principals.put_user("sam", frozenset(), long[:256][::-1])
    assert await door.code("sam", long) == mqtt.BAD_LOGIN
    assert await door.code("sam", long[:256]) == 0
    door.principals.put_user("sam", frozenset(), "\ufffd")
    answer = door.logins.check("sam", b"\xff", ELSEWHERE)
    assert (await answer).code == mqtt.BAD_LOGIN


async def test_memory_is_bounded_by_numbers_not_by_who_knocks(door):
    for number in range(6000):
        await door.code(f"n{number}", "x", f"10.{number >> 8}.{number & 255}.1")
    logins = door.logins
    assert len(logins._names._failures) <= 4096
    assert len(logins._addresses._failures) <= 4096
    assert not logins._judging


async def test_no_secret_is_in_what_is_said(door):
    answer = await door.knock("sam", "hunter2", HOME)
    assert "hunter2" not in repr(answer)
