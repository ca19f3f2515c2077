"""`doorward user`: who may sign in, and as what."""

from pathlib import Path

import click

from doorward.cli.options import common, show
from doorward.cli.secret import new_password, password_option
from doorward.cli.text import clean, table


@click.group()
def user() -> None:
    """Operators: who may sign in, and as what."""


@user.command("list")
@common
def list_users(*, as_json: bool, data: Path | None) -> None:
    """Every operator with role and second factor."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("operators")
    rows = [
        (
            one["username"],
            one["role"],
            "yes" if one["second_factor"] else "no",
            "locked" if one["locked"] else None,
        )
        for one in answer
    ]
    text = table(("name", "role", "second factor", "state"), rows)
    show(
        answer,
        text if rows else "nobody yet; open the page, or `doorward user add`",
        as_json=as_json,
    )


@user.command("add")
@click.argument("username")
@click.option("--role", default="User", show_default=True, help="What they may do.")
@password_option
@common
def add(
    username: str, role: str, password_file: Path | None, *, as_json: bool, data: Path | None
) -> None:
    """Add an operator called USERNAME."""
    from doorward.cli.client import Api

    with Api(data) as api:
        order = {"username": username, "role": role, "password": new_password(password_file)}
        answer = api.post("operators", order)
    show(answer, clean(f"{answer['username']} may sign in, as {answer['role']}"), as_json=as_json)


@user.command("passwd")
@click.argument("username")
@password_option
@common
def passwd(username: str, password_file: Path | None, *, as_json: bool, data: Path | None) -> None:
    """Give USERNAME a new password, and end their sessions and second factor."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        order = {"password": new_password(password_file)}
        answer = api.post(f"operators/{part(username)}/password", order)
    show(answer, clean(f"{answer['username']} has a new password"), as_json=as_json)


@user.command("role")
@click.argument("username")
@click.argument("role")
@common
def role(username: str, role: str, *, as_json: bool, data: Path | None) -> None:
    """Give USERNAME another ROLE, and end their sessions."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        answer = api.post(f"operators/{part(username)}/role", {"role": role})
    show(answer, clean(f"{answer['username']} is {answer['role']} now"), as_json=as_json)


@user.command("unlock")
@click.argument("username")
@common
def unlock(username: str, *, as_json: bool, data: Path | None) -> None:
    """Let USERNAME try again, who failed to sign in too often."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        answer = api.post(f"operators/{part(username)}/unlock")
    show(answer, clean(f"{answer['username']} may try again"), as_json=as_json)


@user.command("remove")
@click.argument("username")
@common
def remove(username: str, *, as_json: bool, data: Path | None) -> None:
    """Take USERNAME away, with their sessions and tokens."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        api.post(f"operators/{part(username)}/remove")
    show({"removed": username}, clean(f"{username} may no longer sign in"), as_json=as_json)


@user.command("roles")
@common
def roles(*, as_json: bool, data: Path | None) -> None:
    """Every role, and what it holds."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("roles")
    rows = [(one["name"], " ".join(one["permissions"]) or None) for one in answer]
    show(answer, table(("role", "may"), rows), as_json=as_json)


@user.command("allow")
@click.argument("role")
@click.argument("permissions", nargs=-1)
@common
def allow(role: str, permissions: tuple[str, ...], *, as_json: bool, data: Path | None) -> None:
    """Let ROLE hold exactly these PERMISSIONS from now on."""
    from doorward.cli.client import Api, part

    with Api(data) as api:
        answer = api.post(f"roles/{part(role)}", {"permissions": list(permissions)})
    held = " ".join(answer["permissions"]) or "nothing"
    show(answer, clean(f"{answer['name']} may: {held}"), as_json=as_json)
