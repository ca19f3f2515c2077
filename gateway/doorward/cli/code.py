"""`doorward code`: give somebody a code for keypads, take it away. No code is ever an argument."""

from pathlib import Path

import click

from doorward.cli.options import common, show
from doorward.cli.secret import code_file_option, new_code
from doorward.cli.text import clean


@click.group()
def code() -> None:
    """Codes that people type at a keypad, and who has one."""


@code.command("add")
@click.argument("person")
@click.option("--generate", is_flag=True, help="Have one made, and shown once.")
@code_file_option
@common
def add(
    person: str, *, generate: bool, code_file: Path | None, as_json: bool, data: Path | None
) -> None:
    """Give PERSON a code of 4 to 8 digits: typed here twice, read from a file, or made."""
    from doorward.cli.client import Api

    if generate and code_file is not None:
        raise click.UsageError("--generate makes a code: leave out --code-file")
    with Api(data) as api:
        chosen = None if generate else new_code(code_file)
        answer = api.post("codes", {"person": person, "code": chosen})
    text = f"{answer['person']} has a code from now on"
    if generate:
        text = f"{answer['person']} has the code {answer['code']}; it is not shown again"
    show(answer, clean(text), as_json=as_json)


@code.command("revoke")
@click.argument("person")
@common
def revoke(person: str, *, as_json: bool, data: Path | None) -> None:
    """Take all codes of PERSON away for good. No keypad accepts them from now on."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.post("codes/revoke", {"person": person})
    show(answer, clean(f"{answer[0]['person']} has no code any more"), as_json=as_json)
