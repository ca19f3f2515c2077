"""The snapshot that decides right now. It is replaced as a whole after every committed change."""

import asyncio
from collections.abc import Callable

from doorward.app.ports import RulesStore
from doorward.domain.snapshot import Snapshot


class Rulebook:
    """Holds the newest snapshot; tells who has to know when there is a newer one."""

    def __init__(self, store: RulesStore) -> None:
        """Read the rules once; `refresh` after each change."""
        self._store = store
        self._refreshing = asyncio.Lock()
        self.snapshot = Snapshot(store.load())
        self.on_change: list[Callable[[Snapshot], None]] = []

    async def refresh(self) -> None:
        """Read and compile the rules on another thread, then swap. Decisions go on meanwhile."""
        async with self._refreshing:
            snapshot = await asyncio.to_thread(lambda: Snapshot(self._store.load()))
            self.snapshot = snapshot
        for changed in self.on_change:
            changed(snapshot)
