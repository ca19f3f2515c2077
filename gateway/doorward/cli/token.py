"""`doorward token`: what programs show instead of a password."""

from pathlib import Path

import click

from doorward.cli.options import common, show
from doorward.cli.text import clean, local_time, table


@click.group()
def token() -> None:
    """Tokens for programs that use the API."""


@token.command("add")
@click.argument("owner")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, help="A permission; again for more."
)
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@click.option("--unattended", is_flag=True, help="It may open doors with nobody there to confirm.")
@common
def add(
    owner: str,
    name: str,
    scopes: tuple[str, ...],
    days: int,
    *,
    unattended: bool,
    as_json: bool,
    data: Path | None,
) -> None:
    """Make a token called NAME for the operator OWNER. It is shown this once."""
    from doorward.cli.client import Api

    order = {
        "owner": owner,
        "name": name,
        "scopes": list(scopes),
        "days": days,
        "unattended": unattended,
    }
    with Api(data) as api:
        answer = api.post("tokens", order)
    # The token alone, so that it can go into a file as it is; the rest is for who reads.
    show(answer, answer["token"], as_json=as_json)
    if not as_json:
        until = local_time(answer["expires_at"])
        click.echo(clean(f"good until {until}; it is not shown again"), err=True)


@token.command("list")
@common
def list_tokens(*, as_json: bool, data: Path | None) -> None:
    """Every token by its first characters."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("tokens")
    rows = [
        (
            one["id"],
            f"{one['prefix']}…",
            one["owner"],
            one["name"],
            " ".join(one["scopes"]) + (" (unattended)" if one["unattended"] else ""),
            local_time(one["expires_at"]),
            local_time(one["used_at"]),
        )
        for one in answer
    ]
    text = table(("id", "token", "owner", "name", "may", "until", "last used"), rows)
    show(answer, text if rows else "no tokens; make one with `doorward token add`", as_json=as_json)


@token.command("revoke")
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@common
def revoke(number: int, *, as_json: bool, data: Path | None) -> None:
    """Take the token ID back. It is worth nothing from now on."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post(f"tokens/{number}/revoke")
    show(answer, clean(f"the token {answer['name']} is revoked"), as_json=as_json)
