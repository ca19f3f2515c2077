"""What the API takes and gives of operators, their roles and tokens."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from doorward.web.api.shapes.base import Answer, Name, Order, Secret


class OperatorOrder(Order):
    """An operator to add."""

    username: Secret
    password: Secret
    role: Name


class PasswordOrder(Order):
    """A new password."""

    password: Secret


class RoleOrder(Order):
    """Another role for an operator."""

    role: Name


class PermissionsOrder(Order):
    """What a role holds from now on."""

    permissions: Annotated[list[Name], Field(max_length=64)]


class TokenOrder(Order):
    """A token to make. unattended: it may open doors with nobody there to confirm."""

    owner: Name
    name: Name
    scopes: Annotated[list[Name], Field(max_length=64)]
    days: Annotated[int, Field(ge=1, le=3650)] = 90
    unattended: bool = False


class ConfirmOrder(Order):
    """One's password, or a code of one's second factor."""

    proof: Secret


class OperatorAnswer(Answer):
    """Somebody who may sign in."""

    username: str
    role: str
    second_factor: bool
    locked: bool


class RoleAnswer(Answer):
    """A role, and what it holds."""

    name: str
    permissions: list[str]


class TokenAnswer(Answer):
    """A program's token by its first characters."""

    id: int
    prefix: str
    owner: str
    name: str
    scopes: list[str]
    unattended: bool
    added_at: datetime
    expires_at: datetime
    used_at: datetime | None


class NewTokenAnswer(TokenAnswer):
    """A token that was just made; its text is told this once."""

    token: str
