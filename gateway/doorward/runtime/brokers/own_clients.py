"""The broker's clients of our own, whichever broker that is."""

import secrets

from doorward.broker import Principals, Role

# Their user names; no device and no user can have them. The gateway's is its client id as well, those of the clients
# that speak for operators begin with theirs and a slash.
GATEWAY_NAME = "gateway"
API_NAME = "gateway-api"


def let_in(principals: Principals) -> tuple[str, str]:
    """Let the gateway in, and the clients that speak for operators; returns their secrets, good for this run."""
    secret, api_secret = secrets.token_hex(32), secrets.token_hex(32)
    # Not kept: registry and signer say who there is, and a device that they forgot stays outside.
    principals.add(GATEWAY_NAME, secret, Role.GATEWAY, keep=False)
    principals.add(API_NAME, api_secret, Role.API, keep=False)
    return secret, api_secret
