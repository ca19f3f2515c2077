"""What `doorward pub` and `doorward sub` have in common: which broker, as whom, and the password from where."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorward.cli.failure import Failure
from doorward.cli.options import Command
from doorward.cli.secret import ask, first_line
from doorward.remote_broker import PASSWORD, USER

if TYPE_CHECKING:
    from doorward.adapters.mqtt_client import MqttClient
    from doorward.remote_broker import RemoteBroker, TlsFiles

_ASK = "\0ask"  # --password without a value

_OPTIONS = (
    click.option("--host", help="The broker. By default MQTT_BROKER_URL, else this installation."),
    click.option("--port", type=click.IntRange(1, 65535), help="Its port: 1883, or 8883 with TLS."),
    click.option("--cafile", type=click.Path(path_type=Path), help="TLS, trusting this CA (PEM)."),
    click.option("--cert", type=click.Path(path_type=Path), help="A certificate to show (PEM)."),
    click.option("--key", type=click.Path(path_type=Path), help="Its key (PEM)."),
    click.option("-i", "--client-id", default="", help="By default a random one."),
    click.option("-u", "--username", envvar=USER, show_envvar=True, help="Who connects."),
    click.option(
        "-P",
        "--password",
        is_flag=False,
        flag_value=_ASK,
        help=f"Ask for the password. One given here can be read by every user of this machine: "
        f"use --password-file or {PASSWORD}.",
    ),
    click.option(
        "--password-file",
        type=click.Path(path_type=Path, allow_dash=True),
        help="Read the password from a file's first line, or - for stdin.",
    ),
    click.option(
        "-q", "--qos", type=click.IntRange(0, 2), default=0, show_default=True, help="0, 1 or 2."
    ),
)


def broker_options(command: Command) -> Command:
    """Give a command the options that say which broker, and as whom."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Side:
    """The broker that a command means, as its options say it."""

    host: str | None
    port: int | None
    cafile: Path | None
    cert: Path | None
    key: Path | None
    client_id: str
    username: str | None
    password: str | None
    password_file: Path | None
    data: Path | None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Side":
        """Take what belongs here out of a command's options."""
        return cls(**{name: options[name] for name in cls.__dataclass_fields__})

    @property
    def is_elsewhere(self) -> bool:
        """Whether the broker may be another than that of this installation."""
        from doorward import remote_broker

        return self.host is not None or remote_broker.from_environment() is not None

    def client(self) -> "MqttClient | None":
        """An MQTT client, not connected yet; None when the local API is the way. Raises Failure, DoorwardError."""
        from doorward.adapters.mqtt_client import Login, MqttClient

        broker = self._broker()
        if broker is None:
            return None
        return MqttClient(broker, Login(self.username, self._password(), self.client_id))

    def _broker(self) -> "RemoteBroker | None":
        from doorward import remote_broker

        files = self._files()
        if self.host is not None:
            secured = bool(files) or remote_broker.wants_tls() or self.port == 8883
            where = f"[{self.host}]" if ":" in self.host else self.host
            url = where if self.port is None else f"{where}:{self.port}"
            return remote_broker.parse(url, files, tls=secured, source="--host")
        named = remote_broker.from_environment()
        if named is not None:
            return named
        if files or self.port is not None:
            raise Failure("it is not said which broker; add --host", code="invalid", field="host")
        if self.username is None and self.password is None and self.password_file is None:
            return None
        return self._plain_listener()

    def _files(self) -> "TlsFiles":
        from doorward.remote_broker import TlsFiles, files_of

        named = files_of()
        return TlsFiles(
            self.cafile or named.ca,
            self.cert or named.certificate,
            self.key or (None if self.cert else named.key),
        )

    def _plain_listener(self) -> "RemoteBroker":
        """Whoever names a user comes in like any other client, on the listener for this machine."""
        from doorward.cli.client import Api
        from doorward.remote_broker import RemoteBroker

        with Api(self.data) as api:
            port = api.get("mqtt/status")["listeners"]["plain"]
        return RemoteBroker("127.0.0.1", port)

    def _password(self) -> str | None:
        if self.password is not None and self.password != _ASK:
            click.echo(
                "doorward: every user of this machine can read a password among the arguments; "
                f"use --password-file or {PASSWORD}",
                err=True,
            )
            return self.password
        if self.password == _ASK:
            return ask("Password", f"--password-file or {PASSWORD}")
        if self.password_file is not None:
            return first_line(self.password_file)
        if PASSWORD in os.environ:
            return os.environ[PASSWORD]
        if self.username is None or self.cert is not None:
            return None
        return ask(f"Password for {self.username}", f"--password-file or {PASSWORD}")
