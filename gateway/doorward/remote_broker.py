"""A broker that is not ours, as the environment names it: MQTT_BROKER_URL, and what belongs to its TLS."""

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from doorward.errors import ConfigError

URL = "MQTT_BROKER_URL"
USE_TLS = "MQTT_USE_TLS"
CA = "MQTT_CA_CERT_PATH"
CERTIFICATE = "MQTT_CERT_FILE_PATH"
KEY = "MQTT_KEY_FILE_PATH"
USER = "MQTT_USERNAME"
PASSWORD = "MQTT_PASSWORD"  # noqa: S105 - the name of the variable

PLAIN_PORT, TLS_PORT = 1883, 8883
_SCHEMES = {"mqtt": False, "tcp": False, "mqtts": True, "ssl": True}
_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files of a TLS connection, PEM. Without `ca` the system's authorities are trusted."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __bool__(self) -> bool:
        """True when there is any."""
        return any((self.ca, self.certificate, self.key))

    def context(self) -> ssl.SSLContext:
        """A client's context, which always asks the broker for its certificate and its name. Raises ConfigError."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            _read(self.ca, "is no CA certificate", lambda: context.load_verify_locations(self.ca))
        if self.certificate is not None:
            # Without a password it would ask at the terminal for the one of an encrypted key.
            chain = (self.certificate, self.key)
            _read(
                self.certificate,
                f"is no certificate with its key ({self.key or 'in the same file'})",
                lambda: context.load_cert_chain(*chain, password=_no_password),
            )
        elif self.key is not None:
            raise ConfigError(
                f"{self.key} is a key without its certificate", f"say which with {CERTIFICATE}"
            )
        return context


@dataclass(frozen=True, slots=True)
class RemoteBroker:
    """Where a broker listens; `tls` None: without TLS."""

    host: str
    port: int
    tls: TlsFiles | None = None

    def __str__(self) -> str:
        """As people name it."""
        return f"{self.host}:{self.port}"


def from_environment(environ: Mapping[str, str] = os.environ) -> RemoteBroker | None:
    """The broker that the environment names; None when it names none. Raises ConfigError naming the variable.

    With MQTT_USE_TLS nothing is ever said without TLS; one of the other files asks for it as well.
    """
    url = environ.get(URL, "").strip()
    files = files_of(environ)
    wanted = _wants_tls(environ)
    if wanted is False and files:
        raise ConfigError(
            f"{USE_TLS} says no, and there are files for TLS", "unset one of them", field=USE_TLS
        )
    if not url:
        return None
    return parse(url, files, tls=True if files else wanted, source=URL)


def files_of(environ: Mapping[str, str] = os.environ) -> TlsFiles:
    """The files for TLS that the environment names."""
    given = (environ.get(name) for name in (CA, CERTIFICATE, KEY))
    return TlsFiles(*(Path(name) if name else None for name in given))


def wants_tls(environ: Mapping[str, str] = os.environ) -> bool:
    """True when the environment asks for TLS. Raises ConfigError."""
    return bool(_wants_tls(environ) or files_of(environ))


def parse(url: str, files: TlsFiles, *, tls: bool | None = None, source: str = URL) -> RemoteBroker:
    """Read `mqtts://broker.lan:8883`, `broker.lan` or `broker.lan:1883`. tls: None leaves it to the URL.

    Raises ConfigError, which repeats nothing of a URL that may hold a password.
    """
    parts = urlsplit(url if "://" in url else f"//{url}")
    if "@" in url:
        raise ConfigError(
            f"{source} holds a user name or a password", "leave them out of it", field=source
        )
    try:
        port = parts.port
    except ValueError:
        raise ConfigError(f"{source}: {url!r} has no good port", "use 1 to 65535") from None
    known = not parts.scheme or parts.scheme in _SCHEMES
    if not known or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ConfigError(
            f"{source}: {url!r} is no broker", "use one like mqtts://broker.lan:8883", field=source
        )
    said = _SCHEMES.get(parts.scheme)
    if tls and said is False:
        raise ConfigError(
            f"{source} asks for a plain connection to {parts.hostname}, and TLS is wanted",
            "use mqtts://, or take the settings for TLS away",
            field=source,
        )
    secured = bool(tls or said)
    broker = RemoteBroker(parts.hostname, port or (TLS_PORT if secured else PLAIN_PORT))
    return replace(broker, tls=files) if secured else broker


def _wants_tls(environ: Mapping[str, str]) -> bool | None:
    said = environ.get(USE_TLS)
    if said is None:
        return None
    word = said.strip().lower()
    if word not in _YES | _NO:
        raise ConfigError(f"{USE_TLS}: {said!r} is neither true nor false", "use one of them")
    return word in _YES


def _read(path: Path, problem: str, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        raise ConfigError(f"{path} {problem}", "give a PEM file") from error
    except OSError as error:
        where = error.filename or path
        raise ConfigError(
            f"{where} cannot be read ({error.strerror})", "check its name and mode"
        ) from error


def _no_password() -> str:
    return ""
