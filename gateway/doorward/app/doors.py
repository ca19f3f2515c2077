"""The doors as the page and the command line see them."""

from doorward.app.door_states import DoorStates
from doorward.app.releases import Releases
from doorward.app.views import DoorView, Release


class DoorDesk:
    """Looks at doors, and opens one."""

    def __init__(self, states: DoorStates, releases: Releases) -> None:
        self._states = states
        self._releases = releases

    def list(self) -> tuple[DoorView, ...]:
        """All doors, by name."""
        return self._states.list()

    def get(self, door: str) -> DoorView:
        """The door with this id or name."""
        return self._states.get(door)

    async def open(self, door: str, actor: str) -> Release:
        """Ask the board to open once; see `Releases.open`."""
        return await self._releases.open(door, actor)
