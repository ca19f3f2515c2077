"""What a command ends with when it cannot do what was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click

from doorward.cli.text import clean
from doorward.errors import DoorwardError

REFUSED = 1
UNREACHABLE = 3
INTERRUPTED = 130


class Failure(Exception):
    """One line for whoever typed the command: what is wrong; what to do next.

    With --json the line is an object like the API's own errors: {"error": {"code", "message", "field"}}.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "failed",
        field: str | None = None,
        exit_code: int = REFUSED,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field
        self.exit_code = exit_code
        context = click.get_current_context(silent=True)
        self.as_json = bool(context and context.params.get("as_json"))

    def line(self) -> str:
        """The line for stderr."""
        if self.as_json:
            error = {"code": self.code, "message": self.message, "field": self.field}
            return json.dumps({"error": error})
        return f"doorward: {clean(self.message)}"


@contextmanager
def refusals() -> Iterator[None]:
    """Errors that doorward raises on purpose, as the command's one line."""
    try:
        yield
    except DoorwardError as error:
        raise Failure(error.message, code=error.code, field=error.field) from error
