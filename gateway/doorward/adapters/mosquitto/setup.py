"""Everything that Mosquitto needs before it is started, written so that it may be done again."""

import os
import pwd
from pathlib import Path

from doorward import private_file
from doorward.adapters.mosquitto import accounts
from doorward.adapters.mosquitto.configuration import Listeners, configuration
from doorward.adapters.mosquitto.installed import Installed
from doorward.adapters.mosquitto.places import Places


def write(
    places: Places,
    installed: Installed,
    listeners: Listeners,
    *,
    base: str,
    identity: Path,
    authority: bytes,
    revoked: bytes,
    again: bool = False,
) -> None:
    """Write the files. Accounts that are there stay, unless `again` says that all begin anew.

    identity: the server's key and certificate in one file; authority, revoked: PEM. Mosquitto must not run.
    """
    places.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    places.own.mkdir(mode=0o700, exist_ok=True)
    if again:
        private_file.remove(places.secret)
        private_file.remove(places.security)
    secret = accounts.load_or_create(places.secret)
    private_file.create(places.security, accounts.first_security(secret, base))
    trust(places, authority, revoked)
    user = pwd.getpwuid(os.geteuid()).pw_name
    text = configuration(places, installed, listeners, identity, user)
    private_file.replace(places.configuration, text.encode())


def trust(places: Places, authority: bytes, revoked: bytes) -> bool:
    """Write the CA's certificate and its revocation list; True when one of them is another than before."""
    changed = False
    for path, content in ((places.authority, authority), (places.revoked, revoked)):
        if not path.exists() or path.read_bytes() != content:
            private_file.replace(path, content)
            changed = True
    return changed
