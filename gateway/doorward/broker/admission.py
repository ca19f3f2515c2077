"""Who is let in: a CONNECT is judged as a whole before anything changes for anybody."""

from typing import NamedTuple

from doorward.broker import certificates
from doorward.broker.certificates import Shown
from doorward.broker.exchange import Exchange
from doorward.broker.principals import Principal
from doorward.errors import Unavailable
from doorward_core import mqtt, mqtt_server


class Refusal(NamedTuple):
    """The return code for the client, and the reason for the log."""

    code: int
    reason: str


def admit(
    packet: mqtt_server.Connect, shown: Shown | None, exchange: Exchange
) -> Principal | Refusal:
    """Return who the client is, when secret and certificate fit, its client id is its own name and its will is allowed.

    The name is proved first: what comes after is never told to somebody who only guesses.
    """
    if packet.level != 4:
        reason = f"protocol level {packet.level}, this broker speaks MQTT 3.1.1 (level 4)"
        return Refusal(mqtt.BAD_PROTOCOL, reason)
    name = packet.user or ""
    principal = exchange.principals.check(name, packet.password or b"")
    if principal is None:
        return Refusal(mqtt.BAD_LOGIN, f"wrong user name or secret for {name!r}")
    if packet.client_id != name:
        reason = f"{name!r} gave client id {packet.client_id!r}, it has to be its own name"
        return Refusal(mqtt.BAD_CLIENT_ID, reason)
    try:
        rule = certificates.refuses(principal, shown, exchange.certificates)
    except Unavailable as away:
        # Whoever knows which certificates are good is away: nobody comes in meanwhile, and boards try again.
        return Refusal(mqtt.UNAVAILABLE, f"{name!r} cannot be judged: {away.problem}")
    if rule is not None:
        # Who has the secret and not the certificate is a thief, or was set up wrong: both have to be seen.
        exchange.router.deny(principal, "connect", "", rule)
        return Refusal(mqtt.NOT_AUTHORISED, f"{name!r}: {rule}")
    if packet.will is not None:
        rule = exchange.router.refuses_will(principal, packet.will[0])
        if rule is not None:
            reason = f"{name!r} may not leave a will on {packet.will[0]!r} ({rule})"
            return Refusal(mqtt.NOT_AUTHORISED, reason)
    return principal
