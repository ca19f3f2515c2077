"""What a board's flight recorder kept, and why it failed: in words, and in the audit."""

import base64
import re
import struct
from pathlib import Path

import pytest
from stage import Scene

from doorward.domain import flight
from doorward_core import topic_tree, topics

FIRMWARE = Path(__file__).parents[4] / "firmware"


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.deliver(topics.ONLINE, scene.front.hello())
    return scene


def note(code: int, value: int | str = 0, ms: int = 0) -> bytes:
    value = sum(value.encode()) if isinstance(value, str) else value
    ticks = ms >> 6
    return struct.pack("<BBHH", code, ticks >> 16, ticks & 0xFFFF, value & 0xFFFF)


def test_each_code_has_words() -> None:
    notes = (
        note(1, 3)
        + note(7, ms=6400)
        + note(10, "commands/control", ms=64_000)
        + note(16, "door.forced", ms=3_600_000)
        + note(6, 104, ms=2**30 - 64)
        + note(6, -30336)
        + note(99, 5)
    )
    assert flight.lines(notes + b"\x01\x02") == [
        "0:00:00.0 started: watchdog",
        "0:00:06.4 link up",
        "0:01:04.0 took commands/control",
        "1:00:00.0 log door.forced",
        "298:15:41.7 link down: ECONNRESET",
        "0:00:00.0 link down: #-30336",
        "0:00:00.0 code 99: 5",
    ]


def test_every_code_of_the_firmware_is_known_and_the_sums_are_apart() -> None:
    source = (FIRMWARE / "doorward_node" / "flight.py").read_text().split("import struct")[0]
    codes = {int(code) for code in re.findall(r"(?:#|  ) +(\d+) [a-zW]", source)}
    assert codes == set(flight._WORDS)
    for texts in (flight._EVENTS, topic_tree.DOWN):
        assert len({sum(text.encode()) & 0xFFFF for text in texts}) == len(texts)


def test_a_failure_and_what_came_before_are_in_the_audit(scene: Scene) -> None:
    notes = base64.b64encode(note(1, 1) + note(2, ms=9000)).decode()
    data: dict[str, object] = {"part": 1, "of": 1, "notes": notes}
    scene.deliver(topics.EVENTS, scene.front.event("flight", data))
    failure = {"cause": 2, "failure": "ValueError: planted"}
    scene.deliver(topics.EVENTS, scene.front.event("boot", dict[str, object](failure)))
    scene.deliver(topics.EVENTS, scene.front.event("boot", {"cause": 3}))
    scene.deliver(topics.EVENTS, scene.front.event("boot", {"cause": 1}))
    told = [(row.kind, row.why, row.note) for row in scene.store.rows]
    assert told[-4:] == [
        (
            "board.flight",
            "What the board did before it failed, part 1 of 1.",
            "0:00:00.0 started: power; 0:00:08.9 failed",
        ),
        ("board.failed", "The board failed, and started again: ValueError: planted.", None),
        ("board.failed", "The board hung, and its watchdog started it again.", None),
        ("boot", "The board started.", None),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"part": 2, "of": 1, "notes": ""},
        {"part": 1, "of": 1, "notes": "é"},
        {"part": 1, "of": 1, "notes": "A" * 516},
        {"part": 1, "of": 1},
    ],
)
def test_a_recording_that_is_none_is_on_record_as_unreadable(
    scene: Scene, wrong: dict[str, object]
) -> None:
    scene.deliver(topics.EVENTS, scene.front.event("flight", wrong))
    assert scene.store.rows[-1].kind == "unreadable"
