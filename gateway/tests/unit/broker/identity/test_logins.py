"""Guessing passwords costs time, and costs it nobody but whoever guesses."""

import asyncio
from dataclasses import dataclass, field

import pytest

from doorward.broker import Principal, Principals, Role
from doorward.broker.identity.logins import PasswordLogins
from doorward.broker.identity.ports import Refusal
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
    assert len(door.passwords.asked) <= 2
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
    assert not door.logins._trying


async def test_all_clients_of_a_user_come_back_at_once(door):
    """And of a whole site behind one address. Mutant: sixteen at once, and the others are sent away."""
    door.passwords.gate.clear()
    asyncio.get_running_loop().call_later(0.02, door.passwords.gate.set)
    assert await asyncio.gather(*(door.code("sam", "right") for _ in range(300))) == [0] * 300


async def test_what_proved_right_is_not_tried_again_and_only_that(door):
    """Mutants: any password of somebody who came in before; one that was changed since."""
    for _ in range(3):
        assert await door.code("sam", "right") == 0
    assert door.passwords.asked == ["right"]
    assert await door.code("sam", "Right") == mqtt.BAD_LOGIN
    assert await door.code("tess", "right") == mqtt.BAD_LOGIN
    assert await door.code("nobody", "right") == mqtt.BAD_LOGIN
    assert len(door.passwords.asked) == 4
    marks = door.principals.proved._marks
    door.principals.put_user("sam", frozenset({"Teacher"}), "right"[::-1])
    assert set(marks) == {"sam"}
    door.principals.put_user("sam", frozenset(), "other"[::-1])
    assert not marks, "nothing of the former password is kept"
    assert await door.code("sam", "right") == mqtt.BAD_LOGIN
    assert await door.code("sam", "other") == 0
    door.principals.remove("sam")
    assert not marks
    assert await door.code("sam", "other") == mqtt.BAD_LOGIN
    assert await door.code("tess", "hers") == 0
    assert set(marks) == {"tess"}
    assert b"hers" not in repr(marks).encode()


async def test_addresses_take_turns(door):
    """Mutant: one line for all."""
    door.passwords.gate.clear()
    crowd = [asyncio.ensure_future(door.code("sam", "right")) for _ in range(50)]
    await asyncio.sleep(0)
    other = asyncio.ensure_future(door.code("tess", "hers", ELSEWHERE))
    await asyncio.sleep(0)
    door.passwords.gate.set()
    assert await other == 0
    assert sum(one.done() for one in crowd) <= 6
    assert await asyncio.gather(*crowd) == [0] * 50


async def test_a_place_may_wait_with_so_many_and_others_all_the_same(door):
    door.passwords.gate.clear()
    crowd = [asyncio.ensure_future(door.code("sam", "right")) for _ in range(1100)]
    await asyncio.sleep(0)
    other = asyncio.ensure_future(door.code("tess", "hers", ELSEWHERE))
    await asyncio.sleep(0)
    door.passwords.gate.set()
    assert await other == 0
    assert (await asyncio.gather(*crowd)).count(mqtt.UNAVAILABLE) == 1100 - 1024 - 2


async def test_a_crowd_that_guesses_has_few_guesses(door):
    """They all stand in line before the first has failed. Mutant: nobody is looked at again when it is his turn."""
    door.passwords.gate.clear()
    crowd = [asyncio.ensure_future(door.code(f"n{number}", "x")) for number in range(900)]
    await asyncio.sleep(0)
    door.passwords.gate.set()
    codes = await asyncio.gather(*crowd)
    assert 30 <= len(door.passwords.asked) <= 32
    assert codes.count(mqtt.BAD_LOGIN) == len(door.passwords.asked)


async def test_logins_of_ones_own_between_buy_no_guesses(door):
    """Whoever has an account logs in between his guesses. Mutant: every success clears the address."""
    for number in range(200):
        await door.code(f"n{number}", "x")
        assert await door.code("sam", "right") == 0
    guesses = [one for one in door.passwords.asked if one == "x"]
    assert len(guesses) <= 31
    assert await door.code("tess", "hers") == mqtt.UNAVAILABLE, "the address waits"


async def test_where_a_name_came_in_from_is_remembered_of_so_many_places(door):
    told = []
    door.principals.welcome.changed = lambda *change: told.append(change)
    for number in range(20):
        assert await door.code("sam", "right", f"10.0.0.{number}") == 0
    assert told[-2:] == [("sam", "10.0.0.19", True), ("sam", "10.0.0.3", False)]
    assert [door.principals.welcome.has("sam", f"10.0.0.{n}") for n in (3, 4, 19)] == [0, 1, 1]
    assert await door.code("sam", "wrong", "10.9.9.9") == mqtt.BAD_LOGIN
    assert not door.principals.welcome.has("sam", "10.9.9.9")
    door.principals.remove("sam")
    assert not door.principals.welcome.has("sam", "10.0.0.19")
    assert sum(known for _, _, known in told) == sum(not known for _, _, known in told)


async def test_who_hangs_up_in_line_leaves_it_and_who_is_being_tried_is_counted(door):
    """Mutants: the line keeps who is gone; a guess that hangs up costs nothing; its turn is lost with it."""
    door.passwords.gate.clear()
    tries = [asyncio.ensure_future(door.code("sam", "wrong")) for _ in range(40)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(door.passwords.asked) == 2
    for one in tries:
        one.cancel()
    await asyncio.sleep(0)
    assert door.logins._turns.waiting == door.logins._turns.waiting_from(HOME) == 0
    door.passwords.gate.set()
    await asyncio.wait(tries)
    assert len(door.passwords.asked) == 2
    assert door.logins._names._failures[f"{HOME} sam"][0] == 2
    assert await asyncio.gather(*(door.code("tess", "hers") for _ in range(20))) == [0] * 20


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
    assert not logins._trying
    assert not logins._turns.waiting
    assert not logins._turns._lines


async def test_no_secret_is_in_what_is_said(door):
    answer = await door.knock("sam", "hunter2", HOME)
    assert "hunter2" not in repr(answer)
