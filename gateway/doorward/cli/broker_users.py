"""`doorward broker users`: who comes to the broker with a name and a password. Boards are not among them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward import private_file
from doorward.cli.options import common, show
from doorward.cli.secret import new_password, password_option
from doorward.cli.text import clean, table

_role_option = click.option(
    "--role", "roles", multiple=True, help="A role whose rules it follows; may be given again."
)


@click.group()
def users() -> None:
    """People and tools with a password of their own at the broker."""


@users.command("list")
@common
def list_users(*, as_json: bool, data: Path | None) -> None:
    """Every user with its roles, and the serial of its certificate."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("broker/users")
    rows = [
        (one["name"], " ".join(one["roles"]) or None, one["connections"], _certificate(one))
        for one in answer
    ]
    lines = [table(("name", "roles", "connections", "certificate"), rows)]
    lines += [
        clean(f"{one['name']} cannot come in: run `doorward broker users passwd {one['name']}`")
        for one in answer
        if one["needs_password"]
    ]
    text = "\n".join(lines)
    show(answer, text if rows else "nobody yet; `doorward broker users add`", as_json=as_json)


@users.command("add")
@click.argument("name")
@_role_option
@password_option
@common
def add(
    name: str,
    roles: tuple[str, ...],
    password_file: Path | None,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """Let NAME in, with a password."""
    from doorward.cli.client import Api

    with Api(data) as api:
        order = {"name": name, "roles": list(roles)}
        api.post("broker/users/check", order)  # before anybody thinks of a password
        answer = api.post("broker/users", order | {"password": new_password(password_file)})
    show(answer, clean(f"{answer['name']} may connect, {_as(answer)}"), as_json=as_json)


@users.command("passwd")
@click.argument("name")
@password_option
@common
def passwd(name: str, password_file: Path | None, *, as_json: bool, data: Path | None) -> None:
    """Give NAME a new password, and end its connections."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        order = {"password": new_password(password_file)}
        answer = api.post(f"broker/users/{part(name)}/password", order)
    show(answer, clean(f"{answer['name']} has a new password"), as_json=as_json)


@users.command("roles")
@click.argument("name")
@click.argument("roles", nargs=-1)
@common
def set_roles(name: str, roles: tuple[str, ...], *, as_json: bool, data: Path | None) -> None:
    """Let NAME follow the rules of exactly these ROLES from now on."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        answer = api.post(f"broker/users/{part(name)}/roles", {"roles": list(roles)})
    show(answer, clean(f"{answer['name']} is known {_as(answer)} now"), as_json=as_json)


@users.command("remove")
@click.argument("name")
@common
def remove(name: str, *, as_json: bool, data: Path | None) -> None:
    """Shut NAME out, with its sessions and its own rules."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        api.post(f"broker/users/{part(name)}/remove")
    show({"removed": name}, clean(f"{name} may no longer connect"), as_json=as_json)


@users.command("certificate")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to make for its files (certificate-NAME).",
)
@click.option("--revoke", is_flag=True, help="Take it back instead; the password is enough again.")
@common
def certificate(
    name: str, out: Path | None, *, revoke: bool, as_json: bool, data: Path | None
) -> None:
    """Give NAME a certificate for port 8883, and write it with its key into a new folder.

    From then on NAME has to show it on every port, beside the password. An older one is void.
    """
    from doorward.cli.board_files import new_folder
    from doorward.cli.client import Api, part

    if revoke:
        if out is not None:
            raise click.UsageError("--revoke writes nothing, so it takes no --out")
        with Api(data) as api:
            api.post(f"broker/users/{part(name)}/certificate/revoke")
        told = {"name": name, "revoked": True}
        show(told, clean(f"{name} has no certificate any more"), as_json=as_json)
        return
    place = out or Path(f"certificate-{name.replace('/', '_')}")
    with Api(data) as api, new_folder(place) as folder:
        answer = api.post(f"broker/users/{part(name)}/certificate")
        for file, of in (("cert.pem", "certificate"), ("key.pem", "key"), ("ca.crt", "authority")):
            private_file.create(folder / file, answer[of].encode())
    text = (
        f"{name} has its certificate and key in {folder}\n"
        f"it has to show them from now on: doorward pub --host HOST --port 8883 --username {name} \\\n"
        f"  --cafile {folder}/ca.crt --cert {folder}/cert.pem --key {folder}/key.pem …"
    )
    told = {"name": answer["name"], "serial": answer["serial"], "folder": str(folder)}
    show(told, "\n".join(clean(line) for line in text.split("\n")), as_json=as_json)


def _certificate(user: Mapping[str, Any]) -> str | None:
    if user["certificate"] is None:
        return "not known: the signer is away"
    return user["certificate"] or None


def _as(user: Mapping[str, Any]) -> str:
    return f"as {', '.join(user['roles'])}" if user["roles"] else "with no role"
