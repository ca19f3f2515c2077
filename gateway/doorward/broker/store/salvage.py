"""What the file takes of a batch when it does not take all of it."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from doorward.broker.ports import Batch, Entry
from doorward.sqlite.transaction import is_trouble_with_the_file


def apply_each(driver: Any, batch: Batch, apply: Callable[[Any, Batch], None]) -> list[str]:
    """Apply a batch change by change, in its order; what was left out, and why, without what it says.

    A change that is wrong in itself would be refused for ever, and with it everything behind it. Trouble with the
    file is raised: then nothing was applied.
    """
    left_out: list[str] = []
    for name, change in _changes(batch):
        driver.execute("SAVEPOINT change")
        try:
            apply(driver, change)
        except Exception as error:
            if is_trouble_with_the_file(error):
                raise
            left_out.append(f"{name} ({error})")
            driver.execute("ROLLBACK TO change")
        driver.execute("RELEASE change")
    return left_out


def _changes(batch: Batch) -> Iterator[tuple[str, Batch]]:
    for field in fields(Batch):
        held: Any = getattr(batch, field.name)
        if isinstance(held, dict):
            for key, value in held.items():
                one: Any = {key: value}
                yield f"{field.name} {key!r}", Batch(**{field.name: one})
        else:
            for item in held:
                one = type(held)((item,))
                name = item.number if isinstance(item, Entry) else item
                yield f"{field.name} {name!r}", Batch(**{field.name: one})
