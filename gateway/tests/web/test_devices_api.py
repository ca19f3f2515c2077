"""Boards over the API: what hands out secrets is on the local socket, and nowhere else."""

import pytest
from fakes.services import FRONT, FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.web import create_app

ORDER = {"id": "new", "board": "door-esp32"}


def paths(*, local: bool) -> set[str]:
    app = create_app(FakeHouse(FRONT).services, local=local)
    return {
        f"{method.upper()} {path}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }


def test_what_gives_secrets_or_signs_is_on_the_local_socket_alone() -> None:
    assert paths(local=True) - paths(local=False) == {
        "POST /api/v1/broker/users/{name}/certificate",
        "POST /api/v1/devices",
        "POST /api/v1/firmware",
        "POST /api/v1/firmware/sign",
    }


async def test_on_tcp_there_is_no_adoption(operator: Visitor, house: FakeHouse) -> None:
    headers = {"Origin": str(operator.base_url).rstrip("/"), "X-CSRF-Token": operator.csrf}
    answer = await operator.post("/api/v1/devices", json=ORDER, headers=headers)
    assert answer.status_code == 405
    assert "new" not in house.devices.boards


async def test_on_the_local_socket_the_files_are_given_out(house: FakeHouse, visit: Visit) -> None:
    program = await visit(house, local=True)
    answer = await program.post("/api/v1/devices", json=ORDER)
    assert answer.status_code == 201
    assert answer.json()["config"]["secret"] == "5e" * 32
    assert answer.json()["tls"] == {"key.der": "MAA="}
    assert answer.headers["Cache-Control"] == "no-store"
    known = await program.post("/api/v1/devices", json={**ORDER, "id": "front"})
    assert known.status_code == 409
    assert "5e5e" not in known.text


async def test_approve_revoke_and_list(house: FakeHouse, visit: Visit) -> None:
    program = await visit(house, local=True)
    listed = (await program.get("/api/v1/devices")).json()
    assert [(board["id"], board["state"]) for board in listed] == [
        ("front", "approved"),
        ("side", "announced"),
    ]
    approved = await program.post("/api/v1/devices/side/approve", json={"door": "Side door"})
    assert approved.json()["door_name"] == "Side door"
    again = await program.post("/api/v1/devices/side/approve", json={"door": "Side door"})
    assert again.status_code == 409
    revoked = await program.post("/api/v1/devices/side/revoke")
    assert revoked.json()["state"] == "revoked"
    assert house.devices.actors == ["local", "local"]
    assert (await program.post("/api/v1/devices/ghost/revoke")).status_code == 404


@pytest.mark.parametrize("body", [{}, {"door": 5}, {"door": "Side", "colour": "red"}])
async def test_an_order_that_is_none_changes_nothing(
    house: FakeHouse, visit: Visit, body: dict[str, object]
) -> None:
    program = await visit(house, local=True)
    answer = await program.post("/api/v1/devices/side/approve", json=body)
    assert answer.status_code == 422
    assert house.devices.boards["side"].state == "announced"
