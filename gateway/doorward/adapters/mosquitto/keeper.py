"""Keeps Mosquitto's accounts as they should be: one for each board and user, and nobody who was revoked."""

import secrets
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Lock

from doorward.adapters.mosquitto import setup
from doorward.adapters.mosquitto.dynsec import Refused, Talk, talk
from doorward.adapters.mosquitto.grants import (
    Command,
    Grant,
    difference,
    farewell,
    is_ours,
    is_proven,
)
from doorward.adapters.mosquitto.places import Places
from doorward.adapters.mosquitto.process import Process
from doorward.app.views.broker import BrokerSynced
from doorward.errors import Unavailable


class Keeper:
    """Blocking: for other threads than the loop's. What Mosquitto misses while it is away, the next `sync` tells it."""

    def __init__(
        self,
        places: Places,
        process: Process,
        port: int,
        secret: str,
        trusted: Callable[[], tuple[bytes, bytes]],
        places_of: Callable[[str], Iterable[str]],
    ) -> None:
        """`port`: the plain listener; `secret`: of the control account; `trusted`: CA and revocation list, PEM.

        `places_of`: the filters of all topics that belong to a board.
        """
        self._places = places
        self._process = process
        self._port = port
        self._secret = secret
        self._trusted = trusted
        self._places_of = places_of
        self._leaving: set[str] = set()  # whose sessions have to end, and what they left has to go
        self._wanted: dict[str, Grant] = {}
        self._unproven: frozenset[str] = frozenset()
        self._changing = Lock()

    def want(self, grant: Grant) -> None:
        """From the next `sync` or `admit` on this client has these rights."""
        self._wanted[grant.name] = grant

    @property
    def users(self) -> dict[str, Grant]:
        """The users among the wanted, by name."""
        return {
            name: grant for name, grant in dict(self._wanted).items() if grant.proof is not None
        }

    @property
    def unproven(self) -> frozenset[str]:
        """The users that have to be given a password before they can come in, as far as was seen."""
        return self._unproven

    def sync(self) -> BrokerSynced:
        """Make all accounts what they should be. Nothing is said to Mosquitto about those that are."""
        with self._changing:
            self._read_trust_again()
            with talk(self._port, self._secret) as control:
                wanted = dict(self._wanted)
                accounts = control.listed("listClients", "clients")
                # An account that nobody wants was not taken leave of: we or Mosquitto were away.
                gone = {one["username"] for one in accounts if is_ours(one)} - wanted.keys()
                commands = [order for name in sorted(gone) for order in farewell(name)]
                for name in sorted(gone | self._leaving):
                    self._take_leave(control, name)
                    accounts = [one for one in accounts if one["username"] != name]
                more = difference(wanted, accounts, control.listed("listRoles", "roles"))
                control.command(*more)
            there = {account["username"]: account for account in accounts}
            self._unproven = frozenset(
                name for name, grant in wanted.items() if not is_proven(grant, there.get(name))
            )
            unproven = tuple(sorted(self._unproven))
        return BrokerSynced(len(wanted), tuple(map(_told, (*commands, *more))), unproven)

    def admit(self, grant: Grant) -> None:
        """Let one client in, with these rights and no others."""
        self.want(grant)
        with self._changing, talk(self._port, self._secret) as control:
            self._make(control, grant)

    def renew(self, names: Iterable[str], password: str | None = None) -> None:
        """Give these clients the rights that are wanted for them now, and with `password` the one of them that one."""
        with self._changing, talk(self._port, self._secret) as control:
            for name in names:
                grant = self._wanted.get(name)
                if grant is not None:
                    self._make(control, replace(grant, password=password or grant.password))

    def dismiss(self, name: str) -> None:
        """Take a user's account and rights, cut its connection, and end its session: nobody inherits its queue."""
        self._wanted.pop(name, None)
        self._leaving.add(name)
        with self._changing, talk(self._port, self._secret) as control:
            self._take_leave(control, name)

    def is_anothers(self, name: str) -> bool:
        """Whether somebody else made an account of this name."""
        with self._changing, talk(self._port, self._secret) as control:
            known = _known(control.command, "getClient", "username", name, "client")
        return any(not is_ours(account) for account in known)

    def expel(self, name: str) -> None:
        """Take a board's account and rights, cut its connection, and clear what is retained at its places."""
        self._wanted.pop(name, None)
        self._leaving.add(name)
        with self._changing, talk(self._port, self._secret) as control:
            _forget(control.command, name)
            control.sweep(self._places_of(name))

    def enforce(self, name: str) -> None:
        """After a certificate was revoked: nobody comes in with it, nobody is in with it, and its session is gone.

        A certificate alone gets a client in, if without rights, until Mosquitto has read the revocation list; and a
        session can be ended only by its own client. So we are that client for a moment.
        """
        self._leaving.add(name)
        with self._changing:
            self._read_trust_again()
            with talk(self._port, self._secret) as control:
                self._take_leave(control, name, sweep=name not in self._wanted)
                present = self._wanted.get(name)
                if present is not None:
                    control.command(*difference({name: present}, (), ()))

    def set_password(self, name: str, password: str) -> None:
        """Give an account that is there another password; its connection ends."""
        with self._changing, talk(self._port, self._secret) as control:
            order = {"command": "setClientPassword", "username": name, "password": password}
            control.command(order)

    def _make(self, control: Talk, grant: Grant) -> None:
        if grant.name in self._leaving:
            self._take_leave(control, grant.name)  # whoever had that name before
        accounts = _known(control.command, "getClient", "username", grant.name, "client")
        roles = _known(control.command, "getRole", "rolename", grant.role, "role")
        control.command(*difference({grant.name: grant}, accounts, roles))
        if grant.proof is None:
            return
        if grant.password is not None:
            self._unproven -= {grant.name}
        elif not is_proven(grant, next(iter(accounts), None)):
            self._unproven |= {grant.name}

    def _take_leave(self, control: Talk, name: str, *, sweep: bool = True) -> None:
        """No account, no session and, with `sweep`, nothing retained where a board of that name would leave it."""
        _forget(control.command, name)
        # A session ends when its client connects for a moment with a clean one, and that client is us. The account for
        # it counts as ours: should this break off, the next look finds one that nobody wants.
        grant, password = Grant(name, (), ()), secrets.token_hex(32)
        control.command(
            {"command": "createRole", "rolename": grant.role},
            {"command": "createClient", **grant.account(), "password": password},
        )
        try:
            with talk(self._port, password, name):
                pass
            if sweep:
                control.sweep(self._places_of(name))
        finally:
            _forget(control.command, name)
        self._leaving.discard(name)
        self._unproven -= {name}

    def _read_trust_again(self) -> None:
        if not setup.trust(self._places, *self._trusted()):
            return
        if not self._process.tell(signal.SIGHUP) and any(self._process.answers().values()):
            raise Unavailable(
                "Mosquitto does not hear of the revocation list: it is no process of ours",
                f"send SIGHUP to the one that uses {self._places.configuration}",
            )


def _forget(command: Callable[..., list[Command]], name: str) -> None:
    for order in farewell(name):
        try:
            command(order)
        except Refused as refused:
            if "not found" not in refused.reason.lower():
                raise


def _known(
    command: Callable[..., list[Command]], order: str, key: str, name: str, answer: str
) -> list[Command]:
    try:
        (said,) = command({"command": order, key: name})
    except Refused as refused:
        if "not found" not in refused.reason.lower():
            raise
        return []
    return [said["data"][answer]]


def _told(command: Command) -> str:
    return f"{command['command']} {command.get('username') or command['rolename']}"
