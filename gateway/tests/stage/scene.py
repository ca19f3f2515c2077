"""The front door and everybody who comes to it."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from types import MappingProxyType

from doorward.adapters.wirings import Wirings
from doorward.app.ports import Message
from doorward.app.views.feed import FeedData
from doorward.data import data_root
from doorward.domain.credentials import Credential
from doorward.domain.doors import Door
from doorward.domain.levels import AccessLevel
from doorward.domain.people import Person
from doorward.domain.schedules import WEEKDAYS, Schedule
from doorward.domain.snapshot import Rules
from doorward.runtime.usecases import Store
from doorward.runtime.wiring import wire
from doorward.signer import Signer
from doorward_core import board_messages, seal, topics
from doorward_core.schedule import ALWAYS
from doorward_core.topics import device_topic
from stage.board import ScriptedBoard
from stage.clock import FakeClock
from stage.gate import Gate
from stage.secrets import enrol
from stage.store import MemoryStore

WIRINGS = Wirings(data_root() / "boards")

CARDS = MappingProxyType(
    {
        "member": bytes.fromhex("04a1b2c3d4e5f6"),
        "evening": bytes.fromhex("5e7a91c3"),
        "former": bytes.fromhex("04d15b2a6c83f0917ee2"),
        "stranger": bytes.fromhex("04a1b2c3d4e5f7"),
    }
)

RULES = Rules(
    people=(
        Person(1, "Maya Okafor", levels=frozenset({1})),
        Person(2, "Jonas Weber", levels=frozenset({2})),
        Person(3, "Ana Ruiz", levels=frozenset({1})),
    ),
    credentials=(
        Credential(1, CARDS["member"], 1),
        Credential(2, CARDS["evening"], 2),
        Credential(3, CARDS["former"], 3, revoked=True),
    ),
    doors=(Door("front", "Front door", "front"), Door("back", "Back door", "back")),
    levels=(
        AccessLevel(1, "Members", frozenset({("front", 1)})),
        AccessLevel(2, "Evening course", frozenset({("front", 2)})),
    ),
    schedules=(
        Schedule(1, "Always", ALWAYS),
        Schedule(2, "Weekday evenings", ((WEEKDAYS, 17 * 60, 22 * 60),)),
    ),
)


class Recorder:
    """The way to the broker: it remembers, and tells in which order things happened."""

    def __init__(self, log: list[str]) -> None:
        self.sent: list[tuple[str, bytes, bool]] = []
        self._log = log

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.sent.append((topic, payload, retain))
        self._log.append("publish " + topic.split("/", 3)[-1])

    def start_over(self) -> None:
        self._log.append("start over")


class Scene:
    """Everything wired, with two enrolled boards of which the front one speaks."""

    def __init__(self, directory: Path) -> None:
        self.log: list[str] = []
        self.clock = FakeClock()
        self.store = MemoryStore(RULES)
        self.keys_directory = directory
        self.gate = Gate()
        self.front = ScriptedBoard(enrol(directory, "front"))
        self.back = ScriptedBoard(enrol(directory, "back"))
        self.signer = Signer(directory)
        self.wire = Recorder(self.log)
        self.told_held: list[bytes] = []
        self.proving = True  # boards answer at once when they are asked to prove their boot
        self.tasks: list[asyncio.Task[None]] = []
        self.start_on(self.store)
        self.feed = self.cases.feed.subscribe()

    def start_on(self, store: Store, restored_ms: int | None = None) -> None:
        """Start the gateway (again) on what this store has; restored_ms as `wire` takes it."""
        self.cases = wire(
            "doorward",
            store,
            self.signer,
            self.wire,
            self.clock,
            self._spawn,
            self.gate,
            WIRINGS,
            restored_ms=restored_ms,
        )

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def settle(self) -> None:
        """Let everything that runs on the side end."""
        await asyncio.gather(*self.tasks)

    def deliver(
        self,
        suffix: str,
        payload: bytes,
        device: str = "front",
        *,
        retained: bool = False,
        repeated: bool = False,
    ) -> None:
        """A message as the broker delivers it; its PUBACK goes to the log."""
        ack = lambda: self.log.append("puback " + suffix)  # noqa: E731 - as short as it is used
        before = len(self.wire.sent)
        self.cases.router.handle(Message(device, suffix, payload, retained, repeated, ack))
        if suffix == topics.ONLINE and not retained and self.proving:
            self.prove(device)
        if suffix == topics.ONLINE:
            self._set_aside(device, before)

    def _set_aside(self, device: str, before: int) -> None:
        """A hello is answered with what is held of the board's log. Tests of other things do not see that, either."""
        topic = device_topic("doorward", device, topics.EVENTS_ACK)
        answers = [sent for sent in self.wire.sent[before:] if sent[0] == topic]
        for sent in answers:
            self.told_held.append(sent[1])
            self.wire.sent.remove(sent)
            self.log.remove("publish " + topics.EVENTS_ACK)

    def prove(self, device: str = "front") -> None:
        """The board answers the question that a new boot is asked. Tests of other things do not see it."""
        found = self.cases.fleet.find(device)
        if found is None or found.boot is None or found.proof is None:
            return
        body = board_messages.command_result(found.proof, "done")
        word = seal.session_word(found.boot, found._up.get(topics.COMMANDS_ACK, 0) + 1)
        payload = self.signer.seal(device, topics.COMMANDS_ACK, word, body)
        self.wire.sent = [sent for sent in self.wire.sent if found.proof.encode() not in sent[1]]
        if "publish commands/control" in self.log:
            self.log.remove("publish commands/control")
        self.cases.router.handle(Message(device, topics.COMMANDS_ACK, payload))

    def answers(self, suffix: str, device: str = "front") -> list[bytes]:
        """What was published to a board on one leaf, oldest first."""
        topic = device_topic("doorward", device, suffix)
        return [payload for where, payload, _ in self.wire.sent if where == topic]

    def rejected(self, device: str = "front") -> int:
        """How many messages of a board were refused."""
        found = self.cases.fleet.find(device)
        return found.rejected.total() if found else 0

    async def news(self) -> list[FeedData]:
        """What the feed has told since the last look."""
        position = self.cases.feed.position
        told: list[FeedData] = []
        while (last := getattr(self, "_read", 0)) < position:
            item = await anext(self.feed)
            self._read = item.id
            told.append(item.data)
            assert item.id == last + 1
        return told
