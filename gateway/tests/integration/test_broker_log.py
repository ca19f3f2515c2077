"""What the log of a live broker tells of its users."""

from broker_school import school, user
from broker_support import Client

from doorward.broker.ports import LogQuery
from doorward_core import mqtt


async def test_the_log_tells_all_of_it_and_no_payload(tmp_path):
    async with school(tmp_path, sam=["User"]) as site:
        async with user(site, "sam", "pad") as sam:
            await sam.subscribe("users/sam/#")
            await sam.publish("users/sam/x", b"payload-of-sam")
            await sam.publish("school/x", b"payload-of-sam")
        stranger = await Client.open(site.port)
        await stranger.try_connect("hunter2-typed-as-a-name", password="x")
        await stranger.drop()
        lines = [one for one in site.broker.log.entries if one.principal in ("sam", "")]
        assert [(one.action, one.topic) for one in lines] == [
            ("CONNECT", ""),
            ("SUBSCRIBE", "users/sam/#"),
            ("PUBLISH", "users/sam/x"),
            ("DENIED", "school/x"),
            ("DISCONNECT", ""),
            ("REFUSED", ""),
        ]
        assert [one.number for one in lines] == sorted({one.number for one in lines})
        assert lines[2].size == len(b"payload-of-sam")
        assert lines[3].detail == "publish: not-granted"
        assert "hunter2" not in repr(lines)
        assert "payload-of" not in repr(lines)
        newest = site.broker.log.number
    async with school(tmp_path) as site:
        assert site.broker.log.number >= newest
        assert [one.topic for one in site.broker.log.find(LogQuery(9, "PUBLISH"))] == [
            "users/sam/x"
        ]


async def test_many_lines_of_one_kind_are_counted(tmp_path):
    async with school(tmp_path, sam=["User"], uma=["User"]) as site:
        async with user(site, "sam") as sam, user(site, "uma") as uma:
            site.broker.log.turn()
            for _ in range(300):
                sam.write(mqtt.publish("users/sam/x", b"", 0, False, False, 0))
            await sam.messages()
            await uma.publish("users/uma/x", b"")
            site.broker.log.turn()
        found = site.broker.log.find(LogQuery(500, "PUBLISH"))
        sams = [one for one in found if one.principal == "sam"]
        assert len(sams) < 100
        assert sum(one.more or 1 for one in sams) == 300
        assert [one.topic for one in found if one.principal == "uma"] == ["users/uma/x"]
