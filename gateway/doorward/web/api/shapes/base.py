"""What all shapes of the API have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Read from an object with the same attributes."""

    model_config = ConfigDict(from_attributes=True)


class ErrorBody(BaseModel):
    """What is wrong and what to do next, in one line; field names the culprit in bad input."""

    code: str
    message: str
    field: str | None = None


class ErrorAnswer(BaseModel):
    """Every answer that is not a success."""

    error: ErrorBody


class Order(BaseModel):
    """A request body: what it does not know it refuses, so that a typing mistake is no silent default."""

    model_config = ConfigDict(extra="forbid")


Name = Annotated[str, Field(min_length=1, max_length=128)]
Secret = Annotated[str, Field(max_length=512)]  # how long it may be is the application's to say
