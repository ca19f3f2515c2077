"""Lamps, motion sensors and a vault's lockout, on the page and over the API."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fakes.fixtures import LAMP, SENSOR
from fakes.services import FRONT, FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.app.views.fixtures import Lockout

VAULT = replace(FRONT, vault="INDEFINITE_LOCKED", attempts=6, lockout=Lockout("locked"))


async def test_the_page_shows_lamps_and_sensors(operator: Visitor, house: FakeHouse) -> None:
    assert 'id="fixtures"' in (await operator.get("/")).text
    house.fixtures.put(LAMP, replace(SENSOR, motion=True))
    page = (await operator.get("/")).text
    assert "40 %, 2700 K (by its button)" in page
    assert "Somebody is there." in page
    assert "Battery 3.7 V" in page


async def test_a_lamp_is_set_from_the_page(operator: Visitor, house: FakeHouse) -> None:
    house.fixtures.put(LAMP)
    done = await operator.submit("/lights/lamp", level="70", kelvin="4000")
    assert done.is_success or done.is_redirect
    assert (house.fixtures.lamps["lamp"].level, house.fixtures.lamps["lamp"].kelvin) == (70, 4000)


@pytest.mark.parametrize("level", ["101", "-1", "bright", "", "١"])
async def test_what_is_no_level_is_refused(operator: Visitor, house: FakeHouse, level: str) -> None:
    house.fixtures.put(LAMP)
    refused = await operator.submit("/lights/lamp", level=level)
    assert refused.status_code == 422
    assert house.fixtures.lamps["lamp"] == LAMP


async def test_a_lamp_that_is_away_says_so(operator: Visitor, house: FakeHouse) -> None:
    house.fixtures.put(replace(LAMP, online=False))
    assert (await operator.submit("/lights/lamp", level="7")).status_code == 503


async def test_a_lockout_is_shown_and_ended_from_the_page(visit: Visit) -> None:
    house = FakeHouse(VAULT)
    operator = await visit(house)
    await operator.log_in()
    page = (await operator.get("/")).text
    assert "no card and no code is looked at" in page
    assert 'action="/vaults/front/release"' in page
    done = await operator.submit("/vaults/front/release")
    assert done.is_success or done.is_redirect
    release = house.doors.views["front"].release
    assert release is not None
    assert release.kind == "end_lockout"
    assert "Ending the lockout. Waiting" in (await operator.get("/")).text


async def test_a_door_has_no_lockout_to_end(operator: Visitor) -> None:
    assert "/vaults/front/release" not in (await operator.get("/")).text
    assert (await operator.submit("/vaults/front/release")).status_code == 409


async def test_the_wait_of_a_keypad_is_shown_and_ended_from_the_page(visit: Visit) -> None:
    until = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
    house = FakeHouse(replace(FRONT, codes_until=until))
    operator = await visit(house)
    await operator.log_in()
    page = (await operator.get("/")).text
    assert "Too many wrong codes: the keypad looks at none. Until" in page
    assert 'action="/doors/front/end-wait"' in page
    assert (await operator.submit("/doors/front/end-wait")).is_redirect
    release = house.doors.views["front"].release
    assert release is not None
    assert release.kind == "end_wait"
    shown = (await operator.get("/")).text
    assert "Ending the keypad’s wait. Waiting" in shown
    assert "<span>Opening</span>" not in shown
    local = await visit(house, local=True)
    assert (await local.get("/api/v1/doors")).json()[0]["codes_until"] == "2026-11-21T10:30:00Z"
    assert (await local.post("/api/v1/doors/front/end-wait")).status_code == 202
    house.set_door("front", codes_until=None)
    assert "/doors/front/end-wait" not in (await operator.get("/")).text
    assert (await local.post("/api/v1/doors/front/end-wait")).status_code == 409


async def test_the_api_tells_all_of_them(visit: Visit) -> None:
    house = FakeHouse(VAULT)
    house.fixtures.put(LAMP, SENSOR)
    local = await visit(house, local=True)
    assert [one["level"] for one in (await local.get("/api/v1/lights")).json()] == [40]
    assert [one["battery_mv"] for one in (await local.get("/api/v1/motion")).json()] == [3712]
    vault = (await local.get("/api/v1/vaults")).json()[0]
    assert (vault["vault"], vault["attempts"]) == ("INDEFINITE_LOCKED", 6)
    assert vault["lockout"] == {"kind": "locked", "until": None}
    order = {"level": 5, "fade_ms": 0}
    assert (await local.post("/api/v1/lights/lamp", json=order)).json()["level"] == 5
    wrong = await local.post("/api/v1/lights/lamp", json={"level": 5, "kelvin": 7})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "kelvin")
    assert (await local.post("/api/v1/lights/none", json=order)).status_code == 404
