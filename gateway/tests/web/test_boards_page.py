"""The page of the boards: who sees what, what a form does, what is pushed, and what a board's words cannot do."""

from dataclasses import replace

import pytest
from fakes.services import FakeHouse
from fakes.serving import serving
from fakes.visitor import Visitor

from doorward.app.views.boards import BoardView
from doorward.web import create_app
from doorward.web.board_looks import board_look, board_summary

EVIL = "<img src=x onerror=\"alert('x')\">"


def board(state: str, **more: object) -> BoardView:
    return BoardView("side", "door-esp32", state, **more)  # type: ignore[arg-type]  # as its fields


@pytest.mark.parametrize(
    ("view", "word"),
    [
        (board("waiting"), "Not heard yet"),
        (board("announced"), "Waits for a name"),
        (board("approved", online=True), "Online"),
        (board("approved"), "Offline"),
        (board("revoked"), "Shut out"),
    ],
)
def test_a_state_is_a_word(view: BoardView, word: str) -> None:
    assert board_look(view).word == word


def test_the_headline_names_who_waits_first() -> None:
    away, waits = board("approved"), replace(board("announced"), id="yard")
    assert board_summary([]).sentence == "No boards yet"
    assert board_summary([board("revoked")]).sentence == "No boards yet"
    assert board_summary([away, waits]).sentence == "yard waits for a name"
    assert board_summary([away]).sentence == "side is offline"
    assert board_summary([away, replace(away, id="b")]).sentence == "2 boards are offline"
    assert board_summary([board("approved", online=True)]).sentence == "All boards are in order"


async def test_every_board_is_there_who_waits_first(operator: Visitor) -> None:
    page = (await operator.open("/boards")).text
    assert page.index('id="board-side"') < page.index('id="board-front"')
    assert "side waits for a name" in page
    assert 'action="/boards/side/approve"' in page
    assert 'action="/boards/front/approve"' not in page
    assert 'action="/boards/front/revoke"' in page
    assert '<a href="/boards" aria-current="page">Boards</a>' in page
    assert '<a href="/boards">Boards</a>' in (await operator.open("/")).text


async def test_who_may_only_look_is_offered_nothing(operator: Visitor, house: FakeHouse) -> None:
    house.auth.role = "Student"
    page = (await operator.open("/boards")).text
    assert 'id="board-side"' in page
    assert "/approve" not in page
    assert "/revoke" not in page
    house.auth.role = "Guest"
    assert (await operator.open("/boards")).status_code == 403
    assert 'href="/boards"' not in (await operator.open("/")).text


async def test_a_board_is_named_and_another_shut_out(operator: Visitor, house: FakeHouse) -> None:
    await operator.open("/boards")
    done = await operator.submit("/boards/side/approve", door="Side door", strike_s="7")
    assert (done.status_code, done.headers["location"]) == (303, "/boards")
    assert house.devices.boards["side"].door_name == "Side door"
    assert house.devices.actors == ["admin"]
    await operator.submit("/boards/front/revoke")
    assert house.devices.boards["front"].state == "revoked"
    page = (await operator.open("/boards")).text
    assert 'action="/boards/front/revoke"' not in page, "there is nothing left to revoke"


async def test_a_change_without_its_token_is_none(operator: Visitor, house: FakeHouse) -> None:
    await operator.open("/boards")
    operator.csrf = "guessed"
    assert (await operator.submit("/boards/side/approve", door="Mine")).status_code == 403
    assert (await operator.submit("/boards/front/revoke")).status_code == 403
    assert [known.state for known in house.devices.list()] == ["approved", "announced"]


@pytest.mark.parametrize("seconds", ["x", "٣", "1e3", "-1"])
async def test_a_refusal_is_told_in_the_boards_own_card(
    operator: Visitor, house: FakeHouse, seconds: str
) -> None:
    await operator.open("/boards")
    operator.headers["HX-Request"] = "true"
    refused = await operator.submit("/boards/side/approve", door="Side", strike_s=seconds)
    assert refused.status_code == 422
    assert refused.text.count("<article") == 1
    assert "strike_s: give a number of seconds" in refused.text
    assert house.devices.boards["side"].state == "announced"
    assert (await operator.submit("/boards/ghost/revoke")).status_code == 404


async def test_what_a_board_or_an_operator_wrote_is_text(
    operator: Visitor, house: FakeHouse
) -> None:
    evil = replace(house.devices.boards["front"], door_name=EVIL, firmware=EVIL, board=EVIL)
    house.devices.boards["front"] = evil
    page = (await operator.open("/boards")).text
    assert page.count("&lt;img src=x") >= 4
    assert "<img" not in page


async def test_what_changes_is_pushed_and_a_form_in_use_is_left_alone(house: FakeHouse) -> None:
    async with (
        serving(create_app(house.services)) as url,
        Visitor(base_url=url) as visitor,
    ):
        await visitor.log_in()
        async with visitor.stream("GET", "/boards/stream") as response:
            lines = response.aiter_lines()

            async def pushed() -> str:
                text = ""
                async for line in lines:
                    text += line + "\n"
                    if not line and "data:" in text:
                        return text
                raise AssertionError("the stream ended")

            first = await pushed()
            assert 'hx-target="#boards"' in first
            now = house.devices.boards["front"]
            house.devices.change("front", "door.open", rejected=3)
            text = await pushed()
            assert 'hx-target="#heard-front"' in text
            assert 'hx-target="#board-' not in text, "nothing that has a form"
            house.devices.boards["front"] = replace(now, rejected=3, online=False)
            house.record(kind="door.open", door_id="front", door_name="Front door")
            text = await pushed()
            assert 'hx-target="#board-front"' in text
            assert 'hx-target="#board-side"' not in text
            assert "2 boards, 0 online" in text
            house.devices.boards["new"] = BoardView("new", "door-esp32", "announced")
            house.record(kind="device.announced")
            text = await pushed()
            assert 'hx-target="#boards"' in text
            assert "2 boards wait for a name" in text
            house.auth.role = "Guest"
            house.record(kind="door.open", door_id="front", door_name="Front door")
            rest = [line async for line in lines]
            assert not [line for line in rest if "data:" in line]
