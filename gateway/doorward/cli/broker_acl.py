"""`doorward broker acl`: who may publish and read what at the broker."""

from collections.abc import Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

from doorward.cli.options import Command, common, show
from doorward.cli.text import clean, table

_HEADS = ("subject", "effect", "action", "filter")


@click.group()
def acl() -> None:
    """Rules: who may publish and read what.

    SUBJECT is role:NAME or user:NAME. FILTER is a topic filter, in which %u is the user's name and %c its client id.
    """


def _rule_options(command: Command) -> Command:
    """Give a command a rule as its first argument, from words and --publish, --subscribe and --deny.

    Without the first two it is about both.
    """

    @wraps(command)
    def with_rule(
        subject: str,
        topic_filter: str,
        *,
        publish: bool,
        subscribe: bool,
        deny: bool,
        **others: object,
    ) -> object:
        action = "both" if publish == subscribe else "publish" if publish else "subscribe"
        effect = "deny" if deny else "allow"
        rule = {"subject": subject, "filter": topic_filter, "action": action, "effect": effect}
        return command(rule, **others)

    made: Command = with_rule
    for option in (
        click.option("--deny", is_flag=True, help="Forbid it: a deny beats every allow."),
        click.option("--subscribe", is_flag=True, help="About reading alone."),
        click.option("--publish", is_flag=True, help="About publishing alone."),
        click.argument("topic_filter", metavar="FILTER"),
        click.argument("subject"),
    ):
        made = option(made)
    return made


@acl.command()
@_rule_options
@common
def grant(rule: Mapping[str, str], *, as_json: bool, data: Path | None) -> None:
    """Let SUBJECT publish to and read FILTER, at once."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post("broker/acl/grant", rule)
    show(answer, clean(f"from now on: {_text(answer['rule'])}"), as_json=as_json)
    if not as_json:
        for warning in answer["warnings"]:
            click.echo(clean(f"warning: {warning}"), err=True)


@acl.command()
@_rule_options
@common
def revoke(rule: Mapping[str, str], *, as_json: bool, data: Path | None) -> None:
    """Take back what a rule for SUBJECT says about FILTER, at once."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post("broker/acl/revoke", rule)
    show(answer, clean(f"no longer: {_text(answer)}"), as_json=as_json)


@acl.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is built in.")
@common
def list_rules(*, everything: bool, as_json: bool, data: Path | None) -> None:
    """Every rule that can be revoked."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("broker/acl")
    shown = [rule for rule in answer if everything or not rule["built_in"]]
    rows = [
        (rule["subject"], rule["effect"], rule["action"], rule["filter"])
        + (("built in",) if rule["built_in"] else ())
        for rule in shown
    ]
    heads = (*_HEADS, "") if everything else _HEADS
    wide = [(*row, "") if everything and len(row) == len(_HEADS) else row for row in rows]
    show(shown, table(heads, wide) if rows else "no rules", as_json=as_json)


@acl.command()
@click.argument("principal")
@click.argument("action", type=click.Choice(["publish", "subscribe"]))
@click.argument("topic")
@click.option("--client", help="A user's client id, its name by default.")
@common
def explain(
    principal: str, action: str, topic: str, client: str | None, *, as_json: bool, data: Path | None
) -> None:
    """Say whether PRINCIPAL (a user or a board) may do that with TOPIC, and by which rule."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get(
            "broker/acl/explain", principal=principal, action=action, topic=topic, client=client
        )
    who = f"{answer['principal']} ({', '.join(answer['roles'])})" if answer["roles"] else principal
    verdict = "may" if answer["allowed"] else "may not"
    show(answer, clean(f"{who} {verdict} {action}: {answer['why']}"), as_json=as_json)


def _text(rule: Mapping[str, Any]) -> str:
    words = "publish+subscribe" if rule["action"] == "both" else rule["action"]
    return f"{rule['effect']} {rule['subject']} {words} {rule['filter']}"
