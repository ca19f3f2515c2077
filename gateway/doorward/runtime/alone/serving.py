"""The broker alone, serving: no doors, no page, its own data directory and its own local API.

It imports what the broker needs to serve and no more: a thousand devices take less memory than the rest would.
"""

import asyncio
import importlib
import logging
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from doorward import local_socket, log_lines, memory
from doorward.adapters.passwords import Argon2Passwords
from doorward.broker import Broker, Policy, Principals
from doorward.broker.identity.certificates import Listed
from doorward.broker.identity.ports import Certificates
from doorward.broker.store import BrokerStore
from doorward.file_lock import FileLock
from doorward.machine import LOOPBACK
from doorward.runtime.alone.parts import Parts
from doorward.runtime.alone.plan import Plan, take
from doorward.runtime.brokers import own_broker
from doorward.runtime.brokers.own_clients import let_in
from doorward.runtime.process import interpreter
from doorward.runtime.process.serving import Say, Serving, serve
from doorward.runtime.servers import tls

_log = logging.getLogger(__name__)

_API = "doorward.runtime.alone.api"
_RENEWING = "doorward.runtime.alone.renewing"
_REMOTE_SIGNER = "doorward.signer.remote"
_LOOK_S = 86400.0


def run(plan: int, say: Say) -> int:
    """Serve what stands at this descriptor until SIGINT or SIGTERM. Returns the exit code; raises DoorwardError."""
    log_lines.configure()

    def on_ready(alone: StandaloneBroker) -> None:
        host, broker = alone.plan.host, alone.broker
        say(f"The broker is up. Over TLS: {host}:{broker.secure_port}")
        say(f"WebSocket over TLS: {host}:{broker.websocket_port}")
        say(f"This machine alone, without TLS: {LOOPBACK}:{alone.plain_port}")
        say(f"Clients trust it by the CA in {alone.authority}")
        say("Somebody to connect: `doorward broker users add NAME --role ROLE`")

    asyncio.run(serve(StandaloneBroker(take(plan)), on_ready))
    return 0


class StandaloneBroker(Serving):
    """The embedded broker in a process of its own. Who connect are users; boards belong to a gateway."""

    _name = "broker"
    _unserved = "the broker was stopped before it served"

    def __init__(self, plan: Plan) -> None:
        """Nothing is made before `start`."""
        super().__init__()
        self.plan = plan
        self.authority = plan.files / "ca.crt"
        self.broker: Broker
        self.plain_port = 0

    async def answer(self) -> None:
        """Return when loop, database and listener have answered."""
        await self.broker.answer()

    async def _run(self, ready: asyncio.Future[None]) -> None:
        plan = self.plan
        interpreter.share_quickly()
        memory.share_one_heap()
        async with AsyncExitStack() as stack:
            stack.enter_context(FileLock(plan.lock, wait=False))
            # For who connects over TLS: a certificate is for everybody to see.
            self.authority.write_text(plan.authority)
            context = tls.for_users(plan.authority.encode())
            tls.load_chain(context, Path(plan.chain))
            parts = self._parts(stack)
            self.broker = parts.broker
            self.plain_port = await own_broker.listen(self.broker, plan, context, context)
            stack.push_async_callback(self.broker.stop)
            path = plan.files / "run" / "api.sock"
            sock = local_socket.listen(path)
            sock.setblocking(False)
            stack.callback(path.unlink, missing_ok=True)
            stack.callback(sock.close)
            async with asyncio.TaskGroup() as tasks:
                own = [
                    tasks.create_task(_keep_certified(plan, context)),
                    tasks.create_task(self._serve_api(parts, sock)),
                ]
                ready.set_result(None)
                await self._stopping.wait()
                for task in own:
                    task.cancel()

    def _parts(self, stack: AsyncExitStack) -> Parts:
        plan = self.plan
        principals, policy = Principals(), Policy(plan.base)
        passwords = Argon2Passwords()
        stack.callback(passwords.close)
        store = BrokerStore.prepared(plan.files / "broker.db", bytes.fromhex(plan.key))
        certificates = _certificates(plan, stack)
        broker = own_broker.build(store, principals, policy, passwords, certificates, plan.limits)
        _, api_secret = let_in(principals)
        return Parts(broker, store, policy, passwords, api_secret)

    async def _serve_api(self, parts: Parts, sock: socket.socket) -> None:
        """Load the API when it is first asked: a broker that nobody administers does without its memory."""
        await _readable(sock)
        module: ModuleType = await asyncio.to_thread(importlib.import_module, _API)
        await module.serve(parts, self.plan, self.plain_port, sock)


def _certificates(plan: Plan, stack: AsyncExitStack) -> Certificates:
    if plan.signer is None:
        return Listed(plan.serials, frozenset(plan.revoked))
    remote: Any = importlib.import_module(_REMOTE_SIGNER)
    signer = remote.RemoteSigner(Path(plan.signer))
    stack.callback(signer.close)
    return signer  # type: ignore[no-any-return]


async def _keep_certified(plan: Plan, context: ssl.SSLContext) -> None:
    """Look every day, for ever, whether it is time for another certificate. Who is connected then stays so."""
    due = plan.renew_at
    while True:
        await asyncio.sleep(_LOOK_S)
        if time.time() < due:
            continue
        try:
            module: ModuleType = await asyncio.to_thread(importlib.import_module, _RENEWING)
            due = await asyncio.to_thread(module.renew, plan.files)
            tls.load_chain(context, Path(plan.chain))
            _log.info("a new certificate is shown from now on")
        except Exception:  # noqa: BLE001 - there are 60 days for another try
            _log.exception("the certificate was not made anew")


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    knocked = asyncio.Event()
    called: Callable[[], None] = knocked.set
    loop.add_reader(sock, called)
    try:
        await knocked.wait()
    finally:
        loop.remove_reader(sock)
