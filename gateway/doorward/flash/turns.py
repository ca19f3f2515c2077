"""One run at a time at a port, and for a board: two of them would take each other's keys, and mix their files."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from doorward.file_lock import lock_file
from doorward.flash.errors import FlashError
from doorward_core import topics


@contextmanager
def hold(state: Path, name: str, port: str) -> Iterator[None]:
    """Keep other runs away from both, whichever way this one ends. Raises FlashError, also for what is no name."""
    if not topics.is_id(name):
        raise FlashError(
            f"a board cannot be called {name!r}", "use 1 to 32 of A-Z a-z 0-9 _ -", field="name"
        )
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as held:
        # No board's folder has a dot in its name.
        for field, file in (("port", f"port.{Path(port).name}"), ("name", f"{name}.name")):
            try:
                held.enter_context(lock_file(state / file))
            except BlockingIOError:
                what = port if field == "port" else name
                raise FlashError(
                    f"{what} is being flashed by another run", "wait for that", field=field
                ) from None
        yield
