"""The broker alone, as `doorward broker run`: no doors, no page, its own data directory and its own local API."""

import asyncio
import importlib
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from doorward import __version__, config, local_socket, logs
from doorward.app.health import HealthMonitor
from doorward.app.mqtt_desk import MqttDesk
from doorward.config import EMBEDDED, LOOPBACK, Settings
from doorward.database import load_or_create
from doorward.errors import StartupError
from doorward.runtime import embedded, interpreter, lock
from doorward.runtime.embedded import EmbeddedSide
from doorward.runtime.keys import open_keys
from doorward.runtime.serving import Say, Serving, serve
from doorward.runtime.tls import ServerTls

_API = "doorward.runtime.broker_api"


def run(directory: Path, say: Say, *, port_base: int | None = None) -> int:
    """Run the broker of `directory` until SIGINT or SIGTERM. Returns the exit code; raises DoorwardError."""
    logs.configure()
    if (directory / "gateway.db").exists():
        raise StartupError(
            f"{directory} is a gateway's, which has its broker inside",
            "run `doorward up`, or choose another --data",
        )
    settings = config.load(directory, port_base=port_base)
    if settings.broker != EMBEDDED:
        raise StartupError(
            f'{directory} says broker = "{settings.broker}"', "run that, or choose another --data"
        )

    def greet(broker: StandaloneBroker) -> None:
        host = settings.mqtt.host
        side = broker.side
        say(f"The broker is up. Over TLS: {host}:{side.boards_port}")
        say(f"WebSocket over TLS: {host}:{side.broker.websocket_port}")
        say(f"This machine alone, without TLS: {LOOPBACK}:{side.plain_port}")
        say(f"Clients trust it by the CA in {broker.authority}")
        say("Somebody to connect: `doorward broker users add NAME --role ROLE`")

    asyncio.run(serve(StandaloneBroker(settings), greet))
    return 0


class StandaloneBroker(Serving):
    """The embedded broker in a process of its own. Who connects are users; boards belong to a gateway."""

    _name = "broker"
    _unserved = "the broker was stopped before it served"

    def __init__(self, settings: Settings) -> None:
        """Nothing is made before `start`."""
        super().__init__()
        self.settings = settings
        self.authority = settings.directory / "ca.crt"
        self.side: EmbeddedSide

    async def answer(self) -> None:
        """Return when loop, database and listener have answered."""
        await self.side.answer()

    async def _run(self, ready: asyncio.Future[None]) -> None:
        settings = self.settings
        interpreter.share_quickly()
        async with AsyncExitStack() as stack:
            stack.enter_context(lock.hold(settings.directory))
            key = load_or_create(settings.database_key, settings.directory / "broker.db")
            keys = await open_keys(settings, stack)
            # For who connects over TLS: a certificate is for everybody to see.
            self.authority.write_bytes(keys.certificate())
            tls = ServerTls(settings, keys, boards=False)
            self.side = await embedded.start(settings, key, keys, (), tls, stack)
            sock = local_socket.listen(settings.socket)
            sock.setblocking(False)
            stack.callback(settings.socket.unlink, missing_ok=True)
            stack.callback(sock.close)
            async with asyncio.TaskGroup() as tasks:
                own = [tasks.create_task(tls.keep()), tasks.create_task(self._serve_api(sock))]
                ready.set_result(None)
                await self._stopping.wait()
                for task in own:
                    task.cancel()

    async def _serve_api(self, sock: socket.socket) -> None:
        """Load the API when it is first asked: a broker that nobody administers does without its memory."""
        await _readable(sock)
        module: ModuleType = await asyncio.to_thread(importlib.import_module, _API)
        await module.serve(self.side, self._desk(), self._health(), sock)

    def _desk(self) -> MqttDesk:
        return MqttDesk(self.settings.base, self.side.view, lambda _device: False)

    def _health(self) -> HealthMonitor:
        started = datetime.now(UTC)
        return HealthMonitor(__version__, self.settings.directory, started, self.side.looks_alone())


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    knocked = asyncio.Event()
    called: Callable[[], None] = knocked.set
    loop.add_reader(sock, called)
    try:
        await knocked.wait()
    finally:
        loop.remove_reader(sock)
