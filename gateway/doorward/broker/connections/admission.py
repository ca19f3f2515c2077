"""Who is let in: a CONNECT is judged as a whole before anything changes for anybody."""

import secrets
from collections.abc import Awaitable
from typing import NamedTuple

from doorward.broker.connections.exchange import Exchange
from doorward.broker.identity import certificates
from doorward.broker.identity.certificates import Shown
from doorward.broker.identity.ports import Refusal
from doorward.broker.identity.principals import Principal, Principals, Role
from doorward.errors import Unavailable
from doorward_core import mqtt, mqtt_server

_PEOPLE = frozenset({Role.USER, Role.API})
_ID_SHOWN = 64  # characters of a client id that are repeated


class Caller(NamedTuple):
    """A connection that has sent its CONNECT."""

    packet: mqtt_server.Connect
    address: str  # its host
    shown: Shown | None  # its certificate


class Entry(NamedTuple):
    """Somebody is let in, under this client id."""

    principal: Principal
    client: str


class RandomSecrets:
    """The `Logins` of a broker without people: every secret is random and compared at once."""

    def __init__(self, principals: Principals) -> None:
        """Ask these principals."""
        self._principals = principals

    def check(self, name: str, secret: bytes, address: str) -> Principal | Refusal:
        """One answer for a wrong name and a wrong secret."""
        return self._principals.check(name, secret) or Refusal(
            mqtt.BAD_LOGIN, f"wrong user name or secret for {name!r}"
        )


def admit(caller: Caller, exchange: Exchange) -> Entry | Refusal | Awaitable[Entry | Refusal]:
    """Let a client in when secret and certificate fit, its client id is its to use and its will is allowed.

    The name is proved first: what comes after is never told to somebody who only guesses. When proving takes a while
    the answer is awaited; from its judgement to its return nothing else runs.
    """
    packet = caller.packet
    if packet.level != 4:
        reason = f"protocol level {packet.level}, this broker speaks MQTT 3.1.1 (level 4)"
        return Refusal(mqtt.BAD_PROTOCOL, reason)
    login = exchange.logins.check(packet.user or "", packet.password or b"", caller.address)
    if isinstance(login, Principal | Refusal):
        return _judge(caller, login, exchange)
    return _later(caller, login, exchange)


async def _later(
    caller: Caller, login: Awaitable[Principal | Refusal], exchange: Exchange
) -> Entry | Refusal:
    proved = await login
    if isinstance(proved, Principal) and exchange.principals.get(proved.name) != proved:
        return Refusal(mqtt.BAD_LOGIN, f"{proved.name!r} was changed while it logged in")
    return _judge(caller, proved, exchange)


def _judge(caller: Caller, login: Principal | Refusal, exchange: Exchange) -> Entry | Refusal:
    """Everything that depends on who it is."""
    if isinstance(login, Refusal):
        return login
    principal = login
    rule = _refuses_id(caller.packet, principal, exchange)
    if rule is not None:
        exchange.router.denials.deny(principal, "connect", "", rule)
        return Refusal(mqtt.BAD_CLIENT_ID, f"{principal.name!r}: {rule}")
    try:
        rule = certificates.refuses(principal, caller.shown, exchange.certificates)
    except Unavailable as away:
        # Whoever knows which certificates are good is away: nobody comes in meanwhile, and boards try again.
        return Refusal(mqtt.UNAVAILABLE, f"{principal.name!r} cannot be judged: {away.problem}")
    if rule is not None:
        # Who has the secret and not the certificate is a thief, or was set up wrong: both have to be seen.
        exchange.router.denials.deny(principal, "connect", "", rule)
        return Refusal(mqtt.NOT_AUTHORISED, f"{principal.name!r}: {rule}")
    if principal.role in _PEOPLE and exchange.journal.crowded:
        # Whoever comes and goes would add to it each time.
        reason = f"{principal.name!r}: enough waits for the disk, which does not take it"
        return Refusal(mqtt.UNAVAILABLE, reason)
    will = caller.packet.will
    if will is not None:
        rule = exchange.router.refuses_will(principal, will[0], caller.packet.client_id)
        if rule is not None:
            reason = f"{principal.name!r} may not leave a will on {will[0]!r} ({rule})"
            return Refusal(mqtt.NOT_AUTHORISED, reason)
    return Entry(principal, caller.packet.client_id or f"auto-{secrets.token_hex(8)}")


def _refuses_id(
    packet: mqtt_server.Connect, principal: Principal, exchange: Exchange
) -> str | None:
    """Why a principal may not use the client id that it gives: a session under it may be somebody else's."""
    client = packet.client_id
    shown = f"client id {client[:_ID_SHOWN]!r}"
    if principal.role is Role.API:
        # Several at once; no board and no user has a name with a slash in it.
        own = client.startswith(f"{principal.name}/")
        return None if own else f"{shown} is not one of its own"
    if principal.role is not Role.USER:
        return None if client == principal.name else f"{shown} is not its own name"
    if not client:
        return None if packet.clean else "an empty client id, and a session to keep (3.1.3-8)"
    if client != principal.name and exchange.principals.get(client) is not None:
        return f"{shown} is the name of somebody else"
    session = exchange.router.sessions.get(client)
    if session is not None and session.principal.name != principal.name:
        return f"{shown} belongs to somebody else"
    return None if packet.clean else exchange.router.quotas.refuses_session(principal, client)
