"""mosquitto.conf: three listeners, nobody without a name, and every change on disk."""

import re
from dataclasses import dataclass

from doorward.adapters.mosquitto.installed import Installed
from doorward.adapters.mosquitto.places import Places

_LOOPBACK = "127.0.0.1"
# The limits of the embedded broker, as far as there is such a setting.
_CONNECTIONS = 4096
_IN_FLIGHT = 64
_QUEUED = 5000
_QUEUED_BYTES = 8 << 20
_PACKET = 262_144

_HEAD = """\
# Written by `doorward broker mosquitto setup`, which writes it anew. Settings of your own go into conf.d/*.conf.
user {user}
pid_file {places.pid}
log_dest file {places.log}
log_type error
log_type warning
log_type notice
log_timestamp_format %Y-%m-%dT%H:%M:%S
connection_messages true

# Who may do what, by listener-independent rules of one plugin; who is not in it is nobody.
per_listener_settings false
allow_anonymous false
plugin {installed.plugin}
plugin_opt_config_file {places.security}

# After every change; what was acknowledged in the milliseconds before a power cut may be lost all the same.
persistence true
persistence_location {places.directory}/
persistence_file {places.database.name}
autosave_on_changes true
autosave_interval 1

# Without it a question and its answer wait for each other's delayed ACK: 44 ms a tap.
set_tcp_nodelay true
max_inflight_messages {in_flight}
max_queued_messages {queued}
max_queued_bytes {queued_bytes}
max_packet_size {packet}

# For the gateway and for the tools of this machine: names and passwords.
listener {plain} {loopback}
use_username_as_clientid true
max_connections {connections}

# For boards: the certificate says who it is, and the client id follows from it.
listener {secure} {host}
use_identity_as_username true
use_username_as_clientid true
require_certificate true
max_connections {connections}
{tls}"""

_WEBSOCKET = """
# For browsers and tools, over WebSocket: names and passwords. Boards have none, and stay outside.
listener {websocket} {host}
protocol websockets
use_username_as_clientid true
max_connections {connections}
{tls}"""

_TLS = """\
cafile {places.authority}
crlfile {places.revoked}
certfile {identity}
keyfile {identity}
tls_version tlsv1.2
"""

_OWN = """
include_dir {places.own}
"""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Where Mosquitto listens. websocket: None for no such listener."""

    host: str
    secure: int
    plain: int
    websocket: int | None = None

    @property
    def named(self) -> dict[str, tuple[str, int]]:
        """Each by its name: the address to come to from this machine."""
        here = _LOOPBACK if self.host == "0.0.0.0" else self.host  # noqa: S104 - compared, not bound
        found = {"mqtts": (here, self.secure), "mqtt": (_LOOPBACK, self.plain)}
        if self.websocket is not None:
            found["websocket"] = (here, self.websocket)
        return found


def listeners_of(text: str) -> Listeners:
    """What a configuration of ours says. Raises ValueError for one that is not ours."""
    found = re.findall(r"^listener (\d+) (\S+)$", text, re.MULTILINE)
    if not text.startswith(_HEAD.partition("\n")[0]) or len(found) not in {2, 3}:
        raise ValueError("this is no configuration of ours")
    (plain, _here), (secure, host), *rest = found
    websocket = int(rest[0][0]) if rest else None
    return Listeners(host, int(secure), int(plain), websocket)


def configuration(
    places: Places, installed: Installed, listeners: Listeners, identity: object, user: str
) -> str:
    """The whole file. `identity`: path of the server's key and certificate; `user`: whom Mosquitto is to run as.

    use_username_as_clientid on every listener: nobody takes a session over by calling itself by another's client id.
    """
    filled = {
        "places": places,
        "installed": installed,
        "identity": identity,
        "user": user,
        "host": listeners.host,
        "loopback": _LOOPBACK,
        "plain": listeners.plain,
        "secure": listeners.secure,
        "websocket": listeners.websocket,
        "connections": _CONNECTIONS,
        "in_flight": _IN_FLIGHT,
        "queued": _QUEUED,
        "queued_bytes": _QUEUED_BYTES,
        "packet": _PACKET,
    }
    filled["tls"] = _TLS.format(**filled)
    parts = [_HEAD, _WEBSOCKET if listeners.websocket is not None else "", _OWN]
    return "".join(part.format(**filled) for part in parts)
