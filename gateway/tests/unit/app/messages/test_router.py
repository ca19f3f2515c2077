"""One board's message never keeps another board waiting."""

import pytest
from stage.scene import Scene

from doorward.app.messages.fleet import Device
from doorward.app.messages.router import Router
from doorward.app.ports import Message
from doorward.errors import Unavailable


def handle(scene: Scene, failure: Exception) -> list[str]:
    """What is acked when the handler of a leaf fails so."""
    acked: list[str] = []

    def fails(_device: Device, _message: Message) -> None:
        raise failure

    router = Router(scene.cases.fleet, scene.signer, {}, {"status/online": fails})
    router.handle(
        Message("front", "status/online", b"x", False, False, lambda: acked.append("acked"))
    )
    return acked


@pytest.mark.parametrize("failure", [ZeroDivisionError(), RecursionError(), OverflowError()])
def test_what_fails_once_would_fail_again_so_it_is_acked(scene: Scene, failure: Exception) -> None:
    assert handle(scene, failure) == ["acked"]
    device = scene.cases.fleet.find("front")
    assert device is not None
    assert device.rejected.total() == 1


def test_what_the_store_cannot_take_now_comes_again(scene: Scene) -> None:
    assert handle(scene, Unavailable("full", "wait")) == []
