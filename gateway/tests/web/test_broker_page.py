"""The page of the broker: live, for who may see it, and changed by who may change it."""

import asyncio
import re
from dataclasses import replace

import httpx
from fakes.broker import Away
from fakes.services import FRONT, FakeHouse
from fakes.serving import serving
from fakes.visitor import Visit, Visitor

from doorward.web import create_app

PASSWORD = "correct horse battery"
EVIL = "<img src=x onerror=alert(1)>"


async def add(house: FakeHouse, name: str, *roles: str) -> None:
    assert house.services.broker is not None
    await house.services.broker.add_user(name, PASSWORD, roles, actor="admin")


async def shown(operator: Visitor) -> str:
    """The page as it is read: without the places where a line may end."""
    return (await operator.open("/broker")).text.replace("<wbr>", "")


async def test_it_shows_rules_users_figures_and_the_log(
    operator: Visitor, house: FakeHouse
) -> None:
    await add(house, "sam", "Student")
    house.broker.connections["sam"] = 2
    house.broker.log.note_always("PUBLISH", "front", topic="a/" + EVIL, qos=1, size=12)
    page = await shown(operator)
    assert EVIL not in page
    assert "QoS 1, 12 bytes" in page
    assert "school/students/%u/#" in page
    assert "doorward/devices/%u/commands/control" in page, "what is built in is there too"
    assert re.search(r"<td>sam</td><td>Student</td><td>2</td><td>none</td>", page)
    assert re.search(r"<dd>3</dd><dt>denied</dt>", page)


async def test_users_and_rules_are_changed_with_forms(operator: Visitor, house: FakeHouse) -> None:
    await operator.open("/broker")
    fields = {"name": "teacher1", "password": PASSWORD, "role": "Teacher"}
    assert (await operator.submit("/broker/users", **fields)).headers["location"] == "/broker#users"
    rule = {"subject": "user:teacher1", "topic": "school/#", "about": "both", "effect": "allow"}
    assert (await operator.submit("/broker/rules", **rule)).status_code == 303
    assert "<code>school/#</code>" in await shown(operator)
    await operator.submit("/broker/rules/revoke", **rule)
    assert "<code>school/#</code>" not in await shown(operator)
    await operator.submit("/broker/users/remove", name="teacher1")
    assert house.broker.acl.users() == ()


async def test_what_is_wrong_is_said_where_it_was_typed_and_nothing_is_lost(
    operator: Visitor, house: FakeHouse
) -> None:
    await operator.open("/broker")
    answer = await operator.submit(
        "/broker/rules", subject="Teacher", topic="school/" + EVIL, about="publish", effect="allow"
    )
    assert answer.status_code == 422
    assert "role:NAME or user:NAME" in answer.text
    assert 'value="Teacher"' in answer.text
    assert '<option value="publish" selected>' in answer.text
    assert EVIL not in answer.text
    short = await operator.submit("/broker/users", name="x", password="short", role="")
    assert short.status_code == 422
    assert 'value="short"' not in short.text
    assert house.broker.acl.users() == ()


async def test_a_grant_into_the_boards_trees_warns_on_the_page(operator: Visitor) -> None:
    await operator.open("/broker")
    rule = {"subject": "role:Teacher", "topic": "doorward/#", "about": "subscribe"}
    answer = await operator.submit("/broker/rules", effect="allow", **rule)
    assert "boards or the broker itself" in answer.text


async def test_a_denial_of_a_user_leads_to_the_form_filled_in(
    operator: Visitor, house: FakeHouse
) -> None:
    await add(house, "sam")
    log = house.broker.log
    log.note_always("DENIED", "sam", "pad", "school/a b&c", detail="publish: not-granted")
    log.note_always("DENIED", "front", "front", "dw/x", detail="publish: outside-base")
    log.note_always("DENIED", "sam", "pad", "x", detail="publish: deny user:sam publish x")
    page = (await operator.open("/broker")).text
    links = re.findall(r'href="(/broker\?subject=[^"]*)"', page)
    assert len(links) == 1, "boards' rights are built in, and a deny has to be revoked"
    form = (await operator.open(links[0].replace("&amp;", "&"))).text
    assert 'value="user:sam"' in form
    assert 'value="school/a b&amp;c"' in form
    assert '<option value="publish" selected>' in form


async def test_who_may_see_and_not_change_has_no_forms(operator: Visitor, house: FakeHouse) -> None:
    house.auth.permissions = frozenset({"mqtt.see"})
    page = (await operator.open("/broker")).text
    assert 'action="/broker/rules"' not in page
    assert "Grant" not in page
    refused = await operator.submit("/broker/users", name="x", password=PASSWORD)
    assert refused.status_code == 403
    house.auth.permissions = frozenset({"doors.see"})
    assert (await operator.get("/broker")).status_code == 403
    assert 'href="/broker"' not in (await operator.open("/")).text


async def test_a_change_asks_for_a_fresh_login(operator: Visitor, house: FakeHouse) -> None:
    await operator.open("/broker")
    house.auth.fresh = False
    assert "/confirm?next=/broker" in (await operator.open("/broker")).text
    answer = await operator.submit("/broker/users", name="x", password=PASSWORD)
    assert answer.status_code in (303, 403)
    assert house.broker.acl.users() == ()


async def test_the_log_is_filtered_by_action_and_name(operator: Visitor, house: FakeHouse) -> None:
    for name in ("sam", "tess"):
        for action in ("PUBLISH", "SUBSCRIBE"):
            house.broker.log.note_always(action, name, topic=f"{name}/{action}")
    page = (await operator.get("/broker", params={"action": "PUBLISH", "principal": "sam"})).text
    assert re.findall(r"<code>((?:sam|tess)/\w+)</code>", page) == ["sam/PUBLISH"]
    assert "action=PUBLISH&amp;principal=sam" in page, "and so is what is pushed"
    assert "data-now" in (await operator.get("/broker", params={"action": "<x>"})).text


async def read(client: httpx.AsyncClient, query: dict[str, str], count: int) -> list[str]:
    """The ids and topics of the first `count` frames that bring lines, as `id topic topic`."""
    found: list[str] = []
    async with asyncio.timeout(5), client.stream("GET", "/broker/stream", params=query) as stream:
        frame = ""
        async for line in stream.aiter_lines():
            if line:
                frame += line + "\n"
                continue
            topics = re.findall(r"<code>([^<]+)</code>", frame)
            number = re.search(r"id: (\S+)", frame)
            frame = ""
            if number and topics:
                found.append(" ".join([number[1].partition(".")[2], *topics]))
                if len(found) == count:
                    return found
    raise AssertionError(found)


async def test_a_line_is_pushed_and_a_dropped_stream_goes_on_without_a_gap(
    house: FakeHouse,
) -> None:
    """Mutant: a stream that begins at now, whatever `after` says."""
    log = house.broker.log
    app = create_app(house.services)
    async with serving(app) as url, Visitor(base_url=url) as visitor:
        await visitor.log_in()
        page = (await visitor.open("/broker")).text
        position = re.search(r"after=([^&]+)&amp;", page)
        assert position is not None
        epoch = position[1].partition(".")[0]
        log.note_always("PUBLISH", "sam", topic="t/1")
        reading = asyncio.ensure_future(read(visitor, {"after": position[1]}, 2))
        await asyncio.sleep(0.05)
        log.note_always("PUBLISH", "sam", topic="t/2")
        assert await reading == ["1 t/1", "2 t/2"]
        for number in range(3, 7):
            log.note_always("PUBLISH", "sam", topic=f"t/{number}")
        missed = await read(visitor, {"after": f"{epoch}.2"}, 4)
        assert missed == [f"{number} t/{number}" for number in range(3, 7)]
        filtered = {"after": f"{epoch}.2", "action": "DENIED"}
        reading = asyncio.ensure_future(read(visitor, filtered, 1))
        await asyncio.sleep(0.05)
        log.note_always("PUBLISH", "sam", topic="t/7")
        log.note_always("DENIED", "sam", topic="t/8")
        assert await reading == ["8 t/8"]
        for number in range(9, 1009):  # more than the feed keeps for a reader
            log.note_always("PUBLISH", "sam", topic=f"t/{number}")
        (everything,) = await read(visitor, {"after": f"{epoch}.8"}, 1)
        assert everything.split()[:3] == ["1008", "t/1008", "t/1007"]
        (anew,) = await read(visitor, {"after": "other.3"}, 1)
        assert anew.split()[:2] == ["1008", "t/1008"], "another run of the gateway"


async def test_where_another_program_is_the_broker_the_page_says_what_it_does_not_know(
    visit: Visit,
) -> None:
    house = FakeHouse(FRONT)
    house.services = replace(house.services, broker=house.broker.desk(Away()))
    await add(house, "sam", "Student")
    visitor = await visit(house)
    await visitor.log_in()
    page = (await visitor.open("/broker")).text
    assert "For what else happens look there." in page
    assert '<span class="chip warn">needs a new password</span>' in page
    assert "sam may connect, as Student." in page


async def test_another_broker_has_no_page_of_ours(visit: Visit) -> None:
    house = FakeHouse(FRONT)
    house.services = replace(house.services, broker=None)
    visitor = await visit(house)
    await visitor.log_in()
    answer = await visitor.get("/broker")
    assert answer.status_code == 503
    assert "another program" in answer.text
