"""Which pins a profile uses, and for what."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from doorward.boards.schema.part import Use
from doorward.boards.schema.profile import Profile


@dataclass(frozen=True, slots=True)
class PinUse:
    """One pin in use. field: where the profile says so, as strike.pin or keypad.rows[1]."""

    part: str
    field: str
    gpio: int
    use: Use


def pin_uses(profile: Profile) -> Iterator[PinUse]:
    """Every pin of every part, in the profile's order."""
    for name, part in profile.parts().items():
        for field, gpio, use in _of(part, name):
            yield PinUse(name, field, gpio, use)


def _of(section: BaseModel, path: str) -> Iterator[tuple[str, int, Use]]:
    for name, declared in type(section).model_fields.items():
        value = getattr(section, name)
        use = next((word for word in declared.metadata if isinstance(word, Use)), None)
        if use is not None and value is not None:
            if isinstance(value, tuple):
                for i, gpio in enumerate(value):
                    yield f"{path}.{name}[{i}]", gpio, use
            else:
                yield f"{path}.{name}", value, use
        elif isinstance(value, BaseModel):
            yield from _of(value, f"{path}.{name}")
