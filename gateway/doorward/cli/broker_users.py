"""`doorward broker users`: who comes to the broker with a name and a password. Boards are not among them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

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
    """Every user with its roles."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("broker/users")
    rows = [(one["name"], " ".join(one["roles"]) or None, one["connections"]) for one in answer]
    lines = [table(("name", "roles", "connections"), rows)]
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


def _as(user: Mapping[str, Any]) -> str:
    return f"as {', '.join(user['roles'])}" if user["roles"] else "with no role"
