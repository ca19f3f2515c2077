"""The signer is away for a while: nothing is opened, nothing is lost, and when it is back everything goes on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from stage import CARDS, Scene

from doorward.errors import SigningUnavailable
from doorward_core import topics

NONCE = bytes(range(16))
CALLS = ("verify", "seal", "decrypt_uid", "tags", "build_cache", "epoch", "next_key")


@contextmanager
def away(scene: Scene, *names: str) -> Iterator[None]:
    """The signer does not answer these calls; without names, none."""

    def silent(*_: object, **__: object) -> None:
        raise SigningUnavailable("signing unavailable", "start `doorward signer`")

    with pytest.MonkeyPatch.context() as patch:
        for name in names or CALLS:
            patch.setattr(scene.signer, name, silent)
        yield


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.log.clear()
    return scene


def test_a_tap_waits_at_the_broker_and_is_refused_when_it_comes_late(scene: Scene) -> None:
    payload = scene.front.ask(CARDS["member"], NONCE)
    with away(scene):
        scene.deliver(topics.ACCESS_REQUEST, payload)
    assert scene.log == ["start over"], "no puback: it comes again on the next connection"
    assert not scene.store.rows
    scene.deliver(topics.ACCESS_REQUEST, payload, repeated=True)
    assert scene.log == ["start over", "puback access/request"]
    assert scene.answers(topics.ACCESS_RESPONSE) == []
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], bytes(16)))
    assert len(scene.answers(topics.ACCESS_RESPONSE)) == 1


@pytest.mark.parametrize("missing", ["verify", "tags", "seal"])
def test_an_event_is_kept_once_and_acknowledged_when_the_signer_is_back(
    scene: Scene, missing: str
) -> None:
    payload = scene.front.decision(CARDS["member"], NONCE, granted=True, source="cache")
    with away(scene, missing):
        scene.deliver(topics.EVENTS, payload)
    assert scene.log == ["start over"]
    assert len(scene.store.entries) == (1 if missing == "seal" else 0)


async def test_the_board_hears_of_its_event_the_second_time(scene: Scene) -> None:
    payload = scene.front.event("boot", {})
    with away(scene, "seal"):
        scene.deliver(topics.EVENTS, payload)
        scene.deliver(topics.EVENTS, payload, repeated=True)
        await scene.settle()
    assert scene.log == ["start over", "start over"]
    scene.deliver(topics.EVENTS, payload, repeated=True)
    await scene.settle()
    [ack] = scene.answers(topics.EVENTS_ACK)
    assert json.loads(scene.front.open(topics.EVENTS_ACK, ack))["seq"] == 1
    assert scene.log[-1] == "puback telemetry/events"
    assert len(scene.store.entries) == 1
    assert [row.kind for row in scene.store.rows] == ["boot"]


async def test_a_connection_that_comes_up_meanwhile_ends_nothing_and_boards_are_told_later(
    scene: Scene,
) -> None:
    await scene.cases.cache.refresh()
    scene.wire.sent.clear()
    scene.log.clear()
    with away(scene):
        scene.cases.cache.announce()
    assert scene.log == ["start over", "start over"]
    assert scene.answers(topics.CONFIG) == []
    scene.cases.cache.announce()
    assert len(scene.answers(topics.CONFIG)) == 1


async def test_a_release_says_why_it_cannot_be(scene: Scene) -> None:
    with away(scene), pytest.raises(SigningUnavailable, match="start `doorward signer`"):
        await scene.cases.releases.open("front", "maya")
    assert scene.answers(topics.CONTROL) == []


def test_a_device_whose_key_just_went_is_refused_and_not_waited_for(scene: Scene) -> None:
    payload = scene.front.ask(CARDS["member"], NONCE)
    with pytest.MonkeyPatch.context() as patch:
        seal = scene.signer.seal

        def gone(device: str, *rest: object) -> bytes:
            scene.signer.forget(device)
            return seal(device, *rest)  # type: ignore[arg-type]

        patch.setattr(scene.signer, "seal", gone)
        scene.deliver(topics.ACCESS_REQUEST, payload)
    assert scene.log == ["puback access/request"]
    assert scene.rejected() == 1
