"""What a board takes under its nonce for keys: it offers one, we seal one command to it, and hear what came of that."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from doorward.app.messages.commands import command, new_id
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import Clock
from doorward_core import seal, topics
from doorward_core.gateway_messages import CommandAck

# A board restarts with a new key; a slow link may need a few tries for that.
TTL_S = 20

# The command for a nonce: its name and parameters.
Give = Callable[[bytes], tuple[str, dict[str, object]]]


class NotTakenError(Exception):
    """The board did not take it. why: its own word, "" where it has not said one in time."""

    def __init__(self, why: str = "") -> None:
        """Keep the word."""
        super().__init__(why)
        self.why = why


def _future() -> asyncio.Future[int]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class _Talk:
    """sent: the command has left, sealed to the board's one nonce."""

    give: Give
    ends_with_ack: bool
    command_id: str = field(default_factory=new_id)
    result: asyncio.Future[int] = field(default_factory=_future)
    sent: bool = False

    def settle(self, result: int) -> None:
        if not self.result.done():
            self.result.set_result(result)

    def fail(self, why: str = "") -> None:
        if not self.result.done():
            self.result.set_exception(NotTakenError(why))


class Challenges:
    """A board has one such nonce, so it has one such talk at a time; whoever comes second waits."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._talks: dict[str, _Talk] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def busy(self, device_id: str) -> bool:
        """Whether one is under way."""
        return self._turns[device_id].locked()

    async def ask(
        self,
        device: Device,
        give: Give,
        *,
        first: Callable[[], Awaitable[None]] | None = None,
        ends_with_ack: bool = True,
    ) -> int:
        """Have a board take a command; it ends with its ack or, if not so, with `settle`. Raises NotTakenError.

        first: what has to be on record before the board is asked.
        """
        async with self._turns[device.id]:
            talk = self._talks[device.id] = _Talk(give, ends_with_ack)
            try:
                if first is not None:
                    await first()
                timer = self._clock.call_later(TTL_S, talk.fail)
                try:
                    body = self._command("challenge", {"for": "rekey"}, talk)
                    self._fleet.tell(device, topics.CONTROL, body)
                    return await talk.result
                finally:
                    timer.cancel()
            finally:
                del self._talks[device.id]

    def settle(self, device_id: str, result: int) -> None:
        """What was asked of a board is done, and something else than its ack has said so."""
        talk = self._talks.get(device_id)
        if talk is not None:
            talk.settle(result)

    def acknowledged(self, device: Device, ack: CommandAck) -> None:
        """The board offers its nonce, or says how it went."""
        talk = self._talks.get(device.id)
        if talk is None or talk.command_id != ack.command_id:
            return
        if ack.nonce is not None and not talk.sent:
            talk.sent = True
            body = self._command(*talk.give(ack.nonce), talk)
            self._fleet.say(device.id, topics.REKEY, seal.nonce_word(ack.nonce), body)
        elif ack.result == "done":
            if talk.ends_with_ack and talk.sent:
                talk.settle(0)
        elif ack.result is not None:
            talk.fail(ack.result)

    def _command(self, name: str, parameters: dict[str, object], talk: _Talk) -> bytes:
        return command(name, parameters, talk.command_id, TTL_S, self._clock)
