"""`doorward signer`: the keys in a process and under a user of their own."""

import grp
import json
import pwd
from pathlib import Path

import click

from doorward.cli.failure import Failure
from doorward.cli.options import common, home_directory, say
from doorward.errors import DoorwardError


class User(click.ParamType[int]):
    """A user of this machine, by name or number; its uid."""

    name = "user"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The uid."""
        try:
            return int(value) if str(value).isdecimal() else pwd.getpwnam(str(value)).pw_uid
        except KeyError:
            self.fail(f"there is no user {value!r} on this machine", param, ctx)


class Group(click.ParamType[int]):
    """A group of this machine, by name or number; its gid."""

    name = "group"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The gid."""
        try:
            return int(value) if str(value).isdecimal() else grp.getgrnam(str(value)).gr_gid
        except KeyError:
            self.fail(f"there is no group {value!r} on this machine", param, ctx)


@click.command()
@click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    help="The directory of the keys. Made anew where there is none; by default DATA/signer.",
)
@click.option(
    "--socket",
    "socket_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to listen; by default what [signer] says in DATA/doorward.toml.",
)
@click.option(
    "--allow", type=User(), multiple=True, help="The gateway's user. Our own may ask as well."
)
@click.option("--group", type=Group(), help="The group whose members may open the socket.")
@common
def signer(
    keys: Path | None,
    socket_path: Path | None,
    allow: tuple[int, ...],
    group: int | None,
    *,
    as_json: bool,
    data: Path | None,
) -> int:
    """Keep the keys in a process of their own until Ctrl-C, and sign for the gateway.

    Run it as a user that nothing else runs as, and set [signer] socket in the gateway's doorward.toml: then no
    other program of this machine can read a key, the gateway neither.
    """
    from doorward import config, logs
    from doorward.signer import process

    logs.configure()
    try:
        if keys is None or socket_path is None:
            settings = config.load(data or home_directory(demo=False))
            keys = keys or settings.device_keys
            socket_path = socket_path or settings.signer.socket
        if socket_path is None:
            raise click.UsageError(
                "say where to listen: --socket, or [signer] socket in doorward.toml"
            )
        told = f"the signer listens on {socket_path}"

        def ready() -> None:
            if as_json:
                click.echo(json.dumps({"message": told}))
            else:
                say(told)

        process.serve(keys, socket_path, allow, group, ready)
    except DoorwardError as error:
        raise Failure(error.message, code=error.code, field=error.field) from error
    return 0
