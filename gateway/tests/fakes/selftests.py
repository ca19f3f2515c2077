"""Self-tests of a house in memory: a test says how they stand."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stage import WIRINGS

from doorward.app.views.boards import SelfTest
from doorward.domain.diagnosis import Finding
from doorward.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from fakes.services import FakeHouse


class FakeSelfTests:
    def __init__(self, house: "FakeHouse") -> None:
        self._house = house
        self.known: dict[str, SelfTest] = {}
        self.asked: list[tuple[str, str, bool]] = []

    def get(self, device: str) -> SelfTest | None:
        self._house.devices.get(device)
        return self.known.get(device)

    def diagram(self, device: str) -> str:
        self._house.devices.get(device)
        test = self.known.get(device)
        wires = {wire for finding in test.findings for wire in finding.wires} if test else set()
        return WIRINGS.diagram("door-esp32", wires) or ""

    async def start(self, device: str, actor: str, *, move: bool = False) -> SelfTest:
        if not self._house.devices.get(device).online:
            raise Unavailable(f"{device} was never heard, and cannot be asked", "give it power")
        self.asked.append((device, actor, move))
        return self.tell(SelfTest("cmd_1", device, actor, "reading", datetime.now(UTC)))

    def heard(self, device: str, *, click: bool) -> SelfTest:
        test = self.get(device)
        if test is None or "lock" not in test.readings:
            raise Conflict(f"no lock of {device} was tried", "test it with its lock first")
        code = "lock.supply" if click else "relay.dead"
        return self.tell(replace(test, findings=(Finding(code, code, "mend it"),)))

    def tell(self, test: SelfTest) -> SelfTest:
        """From now on a board's test stands so, and who listens hears of it."""
        self.known[test.device] = test
        self._house.feed.publish("selftest", test)
        return test
