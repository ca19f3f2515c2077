"""Users with passwords and rules at a live broker: what changes acts at once, and is measured by delivery."""

import time

import pytest
from broker_school import PASSWORD, ROOM, SCHOOL, payloads, school, user
from broker_support import Client

from doorward.adapters.passwords import Argon2Passwords
from doorward.broker.ports import LogQuery
from doorward.broker.rights.rules import Rule
from doorward_core import mqtt


async def test_a_grant_acts_on_a_live_connection_within_a_second(tmp_path):
    """The example of the old school project: teacher1 with the role Teacher, then `school/#` granted."""
    async with (
        school(tmp_path, teacher1=["Teacher"], ada=["Admin"]) as site,
        user(site, "teacher1") as teacher,
        user(site, "ada") as ada,
    ):
        assert list(await teacher.subscribe("school/#")) == [mqtt.REFUSED]
        await ada.subscribe("school/#")
        await teacher.publish(ROOM, b"refused")
        assert await ada.messages() == []
        begun = time.monotonic()
        site.broker.acl.grant(SCHOOL)
        assert list(await teacher.subscribe("school/#")) == [1]
        await teacher.publish(ROOM, b"welcome")
        assert payloads(await ada.messages()) == [b"welcome"]
        assert payloads(await teacher.messages()) == [b"welcome"]
        assert time.monotonic() - begun < 1


async def test_what_is_revoked_brings_nothing_more_at_once(tmp_path):
    """Mutant: no `judge_anew` after a change."""
    async with (
        school(tmp_path, teacher1=[], ada=["Admin"]) as site,
        user(site, "teacher1") as teacher,
        user(site, "ada") as ada,
    ):
        site.broker.acl.grant(SCHOOL)
        await teacher.subscribe("school/#", "school/room1/+")
        await ada.publish(ROOM, b"before")
        assert payloads(await teacher.messages()) == [b"before"]
        site.broker.acl.revoke(SCHOOL)
        await ada.publish(ROOM, b"after")
        assert await teacher.messages() == []
        session = site.broker._router.sessions["teacher1"]
        assert session.subscriptions == {}
        ended = site.broker.log.find(LogQuery(9, "UNSUBSCRIBE", "teacher1"))
        assert {one.detail for one in ended} == {"no longer granted"}
        assert len(ended) == 2
        site.broker.acl.grant(SCHOOL)
        await ada.publish(ROOM, b"again")
        assert await teacher.messages() == [], "a subscription that ended does not come back alone"


async def test_a_deny_ends_the_subscriptions_that_it_touches_and_no_others(tmp_path):
    async with (
        school(tmp_path, teacher1=[], ada=["Admin"]) as site,
        user(site, "teacher1") as teacher,
        user(site, "ada") as ada,
    ):
        site.broker.acl.grant(SCHOOL)
        await teacher.subscribe("school/#", "school/room2/#")
        site.broker.acl.grant(Rule("user:teacher1", "deny", False, True, "school/room1/#"))
        for room in ("room1", "room2"):
            await ada.publish(f"school/{room}/lesson", room.encode())
        assert payloads(await teacher.messages()) == [b"room2"]


@pytest.mark.parametrize("restart", [False, True])
async def test_what_waits_in_a_queue_is_not_delivered_once_it_may_not_be_read(tmp_path, restart):
    async with school(tmp_path, teacher1=[], ada=["Admin"]) as site:
        site.broker.acl.grant(SCHOOL)
        site.broker.acl.grant(Rule("user:teacher1", "allow", True, True, "home/#"))
        async with user(site, "teacher1", "pad", clean=False) as teacher:
            await teacher.subscribe("school/#", "home/#")
        async with user(site, "ada") as ada:
            await ada.publish(ROOM, b"secret")
            await ada.publish("home/lamp", b"lamp")
        if not restart:
            site.broker.acl.revoke(SCHOOL)
            async with user(site, "teacher1", "pad", clean=False) as teacher:
                assert payloads(await teacher.messages()) == [b"lamp"]
            return
        site.broker.acl.revoke(SCHOOL)
        await site.broker.acl.settle()
    async with school(tmp_path) as site, user(site, "teacher1", "pad", clean=False) as teacher:
        assert payloads(await teacher.messages()) == [b"lamp"]
        assert site.broker._router.sessions["pad"].subscriptions == {"home/#": 1}


async def test_what_was_sent_and_not_acknowledged_is_not_sent_again_once_it_may_not_be_read(
    tmp_path,
):
    async with school(tmp_path, teacher1=[], ada=["Admin"]) as site:
        site.broker.acl.grant(SCHOOL)
        async with user(site, "teacher1", "pad", clean=False) as teacher:
            await teacher.subscribe("school/#")
            async with user(site, "ada") as ada:
                await ada.publish(ROOM, b"secret")
            assert payloads([await teacher.message(ack=False)]) == [b"secret"]
            site.broker.acl.revoke(SCHOOL)
        async with user(site, "teacher1", "pad", clean=False) as teacher:
            assert await teacher.messages() == []


async def test_a_qos_2_message_that_may_not_be_read_any_more_ends_without_its_payload(tmp_path):
    """The client may hold the packet id: it is released, not forgotten. Mutant: the row is dropped as at QoS 1."""
    async with school(tmp_path, teacher1=[], ada=["Admin"]) as site:
        site.broker.acl.grant(SCHOOL)
        async with user(site, "teacher1", "pad", clean=False) as teacher:
            await teacher.subscribe("school/#", qos=2)
            async with user(site, "ada") as ada:
                await ada.publish(ROOM, b"secret", 2)
            got = await teacher.message(ack=False)
        site.broker.acl.revoke(SCHOOL)
        async with user(site, "teacher1", "pad", clean=False) as teacher:
            assert mqtt.parse_ack(await teacher.expect(mqtt.PUBREL)) == got.packet_id
            teacher.write(mqtt.ack(mqtt.PUBCOMP, got.packet_id))
            assert await teacher.messages() == []
            assert site.broker._router.sessions["pad"].unsettled == 0


async def test_another_role_acts_at_once_and_the_connection_stays(tmp_path):
    async with (
        school(tmp_path, tess=["Teacher"]) as site,
        user(site, "tess") as tess,
    ):
        assert list(await tess.subscribe("school/students/#", "school/notices/#")) == [1, 1]
        site.broker.acl.set_roles("tess", ["guest"])
        assert not await tess.is_closed()
        session = site.broker._router.sessions["tess"]
        assert list(session.subscriptions) == ["school/notices/#"]
        await tess.publish("school/notices/x", b"no longer hers")
        assert await tess.messages() == []
        assert site.denials[-1].rule == "not-granted"


async def test_who_is_removed_goes_at_once_with_everything_and_leaves_no_last_word(tmp_path):
    async with school(tmp_path, sam=["Admin"], ada=["Admin"]) as site:
        async with user(site, "ada") as ada:
            await ada.subscribe("#")
            sam = await Client.open(site.port)
            will = ("users/sam/gone", b"bye", False, 1)
            await sam.connect("sam", client_id="pad", password=PASSWORD, clean=False, will=will)
            site.broker.acl.grant(Rule("user:sam", "allow", True, True, "x"))
            site.broker.acl.remove_user("sam")
            with pytest.raises((EOFError, ConnectionError)):
                await sam.message()
            await sam.drop()
            assert await ada.messages() == []
            assert "pad" not in site.broker._router.sessions
            assert not [rule for rule in site.broker.acl.rules() if rule.subject == "user:sam"]
            again = await Client.open(site.port)
            assert await again.try_connect("sam", password=PASSWORD) == (False, mqtt.BAD_LOGIN)
            await again.drop()
        await site.broker.acl.settle()
    async with school(tmp_path) as site:
        assert [one.name for one in site.broker.acl.users()] == ["ada"]


async def test_a_new_password_ends_what_came_in_with_the_old_one(tmp_path):
    passwords = Argon2Passwords()
    async with school(tmp_path, sam=[]) as site:
        sam = await Client.open(site.port)
        await sam.connect("sam", password=PASSWORD)
        site.broker.acl.set_password("sam", await passwords.hash("another one altogether"))
        assert await sam.is_closed()
        await sam.drop()
        for password, code in ((PASSWORD, mqtt.BAD_LOGIN), ("another one altogether", 0)):
            client = await Client.open(site.port)
            assert (await client.try_connect("sam", password=password))[1] == code
            await client.drop()
    passwords.close()


async def test_a_will_is_judged_when_it_is_left_and_when_it_is_published(tmp_path):
    """Mutant: a will that is published without being asked about again."""
    async with school(tmp_path, teacher1=[], ada=["Admin"]) as site, user(site, "ada") as ada:
        await ada.subscribe("school/#")
        will = (ROOM, b"will", False, 1)
        client = await Client.open(site.port)
        assert (await client.try_connect("teacher1", password=PASSWORD, will=will))[1] == 5
        await client.drop()
        site.broker.acl.grant(SCHOOL)
        for expected in ([b"will"], []):
            client = await Client.open(site.port)
            await client.connect("teacher1", password=PASSWORD, will=will)
            if not expected:
                site.broker.acl.revoke(SCHOOL)
            await client.drop()
            await site.gone("teacher1")
            assert payloads(await ada.messages()) == expected


async def test_retained_messages_reach_only_who_may_read_them(tmp_path):
    async with school(tmp_path, sam=["Student"], sue=["Student"], tess=["Teacher"]) as site:
        async with user(site, "sam") as sam:
            await sam.publish("school/students/sam/mark", b"3", retain=True)
        async with user(site, "sue") as sue:
            for asked in ("school/students/#", "school/students/sam/#", "school/#", "#"):
                assert list(await sue.subscribe(asked)) == [mqtt.REFUSED]
            assert await sue.messages() == []
        async with user(site, "tess") as tess:
            await tess.subscribe("school/students/#")
            assert payloads(await tess.messages()) == [b"3"]


async def test_a_client_id_in_a_rule_is_the_one_of_the_connection(tmp_path):
    async with school(tmp_path, sam=[]) as site:
        site.broker.acl.grant(Rule("user:sam", "allow", True, True, "pads/%c/#"))
        async with user(site, "sam", "pad-1") as one, user(site, "sam", "pad-2") as two:
            assert list(await one.subscribe("pads/pad-1/#", "pads/pad-2/#")) == [1, mqtt.REFUSED]
            await two.publish("pads/pad-1/x", b"not its own")
            await one.publish("pads/pad-1/x", b"its own")
            assert payloads(await one.messages()) == [b"its own"]


async def test_what_is_changed_outlives_the_broker(tmp_path):
    async with school(tmp_path, teacher1=["Teacher"]) as site:
        site.broker.acl.grant(SCHOOL)
        site.broker.acl.revoke(Rule("role:guest", "allow", False, True, "school/notices/#"))
        await site.broker.acl.settle()
        rules = site.broker.acl.rules()
    async with school(tmp_path) as site:
        assert site.broker.acl.rules() == rules
        assert SCHOOL in rules
        assert not [rule for rule in rules if rule.subject == "role:Guest"]
        async with user(site, "teacher1") as teacher:
            assert list(await teacher.subscribe("school/#")) == [1]
