"""A Mosquitto that runs, who keeps its accounts, and boards that connect to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mosquitto_clients import Client, identity
from mosquittos import Site, site

from doorward.adapters.mosquitto import accounts
from doorward.adapters.mosquitto.configuration import listeners_of
from doorward.adapters.mosquitto.dynsec import talk
from doorward.adapters.mosquitto.grants import Grant
from doorward.adapters.mosquitto.keeper import Keeper
from doorward.adapters.mosquitto.places import Places
from doorward.adapters.mosquitto.process import Process
from doorward.signer import Signer

SECRET = "5e" * 32


class Stage:
    """A Mosquitto that runs, and who keeps its accounts."""

    def __init__(self, made: Site) -> None:
        self.made = made
        self.signer = Signer(made.data / "signer")
        places = Places(made.files)
        listeners = listeners_of(places.configuration.read_text())
        self.process = Process(places, listeners)
        self.plain, self.secure, self.websocket = (
            listeners.plain,
            listeners.secure,
            listeners.websocket or 0,
        )
        self.secret = accounts.load(places.secret)
        self._places = places
        self.keeper = self.new_keeper()
        self.identities = made.data / "identities"
        self.identities.mkdir()

    def new_keeper(self) -> Keeper:
        """One that wants nobody yet, as after a restart."""
        return Keeper(
            self._places,
            self.process,
            self.plain,
            self.secret,
            lambda: (self.signer.certificate(), self.signer.crl()),
            lambda name: (f"doorward/devices/{name}/#",),
        )

    def board(self, name: str) -> Path:
        """A board with a certificate, let in; returns its certificate and key."""
        path = identity(self.signer.adopt(name), self.identities)
        self.keeper.admit(grant(name))
        return path

    def listing(self) -> dict[str, Any]:
        with talk(self.plain, self.secret) as control:
            return {
                "clients": control.listed("listClients", "clients"),
                "roles": control.listed("listRoles", "roles"),
            }


def grant(name: str) -> Grant:
    return Grant(name, (f"doorward/devices/{name}/up",), (f"doorward/devices/{name}/down",))


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    with site(folder / "site") as made:
        made.ask("start")
        yield Stage(made)


@contextmanager
def connected(stage: Stage, path: Path, **how: Any) -> Iterator[Client]:
    client = Client(stage.secure, path.stem, identity=path, authority=stage.signer, **how)
    try:
        yield client
    finally:
        client.close()
