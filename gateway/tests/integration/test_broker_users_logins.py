"""Who a user is at a live broker: nobody else by name, client id or secret."""

import asyncio

import pytest
from broker_school import PASSWORD, payloads, school, user
from broker_support import GATEWAY, Client, secret

from doorward.broker.rights.rules import Rule
from doorward.errors import Conflict, NotFound
from doorward_core import mqtt


async def test_names_of_boards_and_users_do_not_meet(tmp_path):
    async with school(tmp_path, sam=[]) as site:
        acl = site.broker.acl
        for name in ("front", GATEWAY, "sam", "SAM"):
            with pytest.raises(Conflict, match="choose another"):
                acl.add_user(name, "x", [])
        with pytest.raises(ValueError, match="user already"):
            site.principals.admit("sam", bytes(32))
        with pytest.raises(NotFound, match="no role"):
            acl.add_user("tom", "x", ["Techer"])
        with pytest.raises(NotFound):
            acl.grant(Rule("user:nobody", "allow", True, True, "x"))


async def test_a_user_that_takes_a_name_ends_the_session_that_somebody_keeps_under_it(tmp_path):
    async with school(tmp_path, eve=["Admin"]) as site:
        eve = await Client.open(site.port)
        await eve.connect("eve", client_id="sam", password=PASSWORD, clean=False)
        site.broker.acl.add_user("sam", "x", [])
        assert await eve.is_closed()
        await eve.drop()
        assert "sam" not in site.broker._router.sessions


async def test_a_secret_of_a_board_is_no_password_and_the_other_way_round(tmp_path):
    async with school(tmp_path, sam=[]) as site:
        for name, password in (("sam", secret("sam")), ("sam", ""), ("front", PASSWORD)):
            client = await Client.open(site.port)
            assert (await client.try_connect(name, password=password))[1] == mqtt.BAD_LOGIN
            await client.drop()
        async with site.client("front"), user(site, "sam"):
            await asyncio.sleep(0)


async def test_failed_logins_and_other_users_change_nothing_for_a_victim(tmp_path):
    """A wrong password, or a right one of somebody else, with the victim's client id."""
    async with school(tmp_path, sam=["User"], eve=["User"]) as site:
        victim = await Client.open(site.port)
        await victim.connect("sam", client_id="pad", password=PASSWORD, clean=False)
        await victim.subscribe("users/sam/#")
        await victim.publish("users/sam/x", b"waits")
        codes = []
        for clean in (True, False):
            for name, password in (("sam", "wrong"), ("eve", PASSWORD), ("nobody", PASSWORD)) * 4:
                thief = await Client.open(site.port)
                _, code = await thief.try_connect(
                    name, client_id="pad", password=password, clean=clean
                )
                codes.append((name, code))
                assert await thief.is_closed()
                await thief.drop()
        assert {code for name, code in codes if name == "eve"} == {mqtt.BAD_CLIENT_ID}
        assert mqtt.ACCEPTED not in {code for _, code in codes}
        assert not await victim.is_closed()
        assert payloads(await victim.messages()) == [b"waits"]
        await victim.publish("users/sam/x", b"still there")
        assert payloads(await victim.messages()) == [b"still there"]
        await victim.drop()
        async with site.client("front"):
            pass  # a board at the guesser's own address comes in


async def test_a_will_of_a_failed_login_is_never_published(tmp_path):
    async with (
        school(tmp_path, sam=["User"], ada=["Admin"]) as site,
        user(site, "ada") as ada,
    ):
        await ada.subscribe("#")
        thief = await Client.open(site.port)
        will = ("users/sam/x", b"will", False, 1)
        await thief.try_connect("sam", client_id="pad", password="wrong", will=will)
        await thief.drop()
        assert await ada.messages() == []
