"""Lamps, set from afar: one sealed command, on record, and done when the board says so."""

import asyncio
from dataclasses import dataclass

from doorward.app.access.announcer import Announcer
from doorward.app.lighting.fixtures import Fixtures
from doorward.app.messages.commands import command, new_id
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import AuditStore, Clock
from doorward.app.views.fixtures import LightView
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds
from doorward.errors import InvalidInput, Unavailable
from doorward_core import topics
from doorward_core.gateway_messages import CommandAck

TTL_S = 4
_LEVEL = (0, 100)
_KELVIN = (1_000, 20_000)
_FADE_MS = (0, 600_000)


@dataclass(frozen=True, slots=True)
class LightOrder:
    """How a lamp is to shine: level in percent; kelvin and fade_ms None leave the colour and the fade to the board."""

    level: int
    kelvin: int | None = None
    fade_ms: int | None = None

    def check(self) -> None:
        """Raise InvalidInput for what no lamp can do."""
        limits = (("level", self.level, _LEVEL, "%"), ("kelvin", self.kelvin, _KELVIN, "K"))
        for name, value, (low, high), unit in (*limits, ("fade_ms", self.fade_ms, _FADE_MS, "ms")):
            if value is not None and not low <= value <= high:
                raise InvalidInput(f"{name}: give {low} to {high} {unit}", field=name)


class Lights:
    """Sets lamps. Nothing is kept for a lamp that is away: it has its button, and remembers."""

    def __init__(
        self,
        fixtures: Fixtures,
        fleet: Fleet,
        store: AuditStore,
        announcer: Announcer,
        clock: Clock,
    ) -> None:
        self._fixtures = fixtures
        self._fleet = fleet
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self._waiting: dict[str, tuple[str, asyncio.Future[str]]] = {}

    def list(self) -> tuple[LightView, ...]:
        """All lamps by name."""
        return self._fixtures.lights()

    async def set(self, light: str, order: LightOrder, *, actor: str) -> LightView:
        """Set a lamp; returns when its board has done it. Raises NotFound, InvalidInput and Unavailable."""
        order.check()
        view = self._fixtures.light(light)
        called, remedy = f"the board of {view.name}", "its own button works without the gateway"
        device = self._fleet.present(view.id, called, remedy, field="light")
        colour = f" at {order.kelvin} K" if order.kelvin is not None else ""
        await self._record(view, f"Set to {order.level} %{colour}.", actor)
        result = await self._told(device, order)
        if result != "done":
            raise Unavailable(f"{view.name} was not set: {result}", "see `doorward device list`")
        return self._fixtures.light(view.id)

    def acknowledged(self, device: Device, ack: CommandAck) -> None:
        """The board says how it went."""
        sent_to, done = self._waiting.get(ack.command_id, ("", None))
        if done is not None and sent_to == device.id and ack.result and not done.done():
            done.set_result(ack.result)

    async def _told(self, device: Device, order: LightOrder) -> str:
        given = {"level": order.level, "kelvin": order.kelvin, "fade_ms": order.fade_ms}
        parameters: dict[str, object] = {k: v for k, v in given.items() if v is not None}
        command_id = new_id()
        body = command("set_light", parameters, command_id, TTL_S, self._clock)
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[command_id] = (device.id, done)
        timer = self._clock.call_later(TTL_S, lambda: _give_up(done))
        try:
            self._fleet.tell(device, topics.CONTROL, body)
            return await done
        finally:
            timer.cancel()
            del self._waiting[command_id]

    async def _record(self, view: LightView, why: str, actor: str) -> None:
        row = AuditRow(
            at_ms=milliseconds(self._clock.now()),
            kind=audit.LIGHT_SET,
            source=audit.OPERATOR,
            device=view.id,
            actor=actor,
            why=f"{view.name}: {why}",
        )
        self._announcer.announce([await self._store.append(row)])


def _give_up(done: asyncio.Future[str]) -> None:
    if not done.done():
        done.set_result("its board says nothing")
