"""Where the files of our Mosquitto lie: one directory of the installation, for its owner's eyes only."""

from dataclasses import dataclass
from pathlib import Path

NAME = "mosquitto"


@dataclass(frozen=True, slots=True)
class Places:
    """The files in `directory`, which is DATA/mosquitto."""

    directory: Path

    @property
    def configuration(self) -> Path:
        """What Mosquitto is started with. It is written anew by every setup."""
        return self.directory / "mosquitto.conf"

    @property
    def own(self) -> Path:
        """The directory of settings that are somebody else's: Mosquitto reads them last, and no setup touches them."""
        return self.directory / "conf.d"

    @property
    def security(self) -> Path:
        """Clients and roles, kept by Mosquitto's dynamic-security plugin."""
        return self.directory / "dynamic-security.json"

    @property
    def secret(self) -> Path:
        """The password of our account that says who may do what."""
        return self.directory / "control.secret"

    @property
    def authority(self) -> Path:
        """The site's CA certificate, PEM."""
        return self.directory / "ca.crt"

    @property
    def revoked(self) -> Path:
        """The CA's revocation list, PEM."""
        return self.directory / "ca.crl"

    @property
    def database(self) -> Path:
        """Sessions, queues and retained messages, written by Mosquitto."""
        return self.directory / "mosquitto.db"

    @property
    def log(self) -> Path:
        """What Mosquitto says."""
        return self.directory / "mosquitto.log"

    @property
    def pid(self) -> Path:
        """The number of its process, written by Mosquitto."""
        return self.directory / "mosquitto.pid"

    @property
    def added(self) -> tuple[Path, ...]:
        """The settings that are somebody else's."""
        return tuple(sorted(self.own.glob("*.conf")))

    @property
    def kept(self) -> tuple[Path, ...]:
        """What has to be in a backup: all that is no trace of a run."""
        ours = (self.configuration, self.security, self.secret, self.authority, self.revoked)
        return (*ours, self.database, *self.added)
