"""What boards say of themselves goes to whoever shows it: the doors, and what hangs on a board beside them."""

from doorward.app.access.doors import DoorStates
from doorward.app.lighting.fixtures import Fixtures
from doorward.app.messages.fleet import Device
from doorward_core.gateway_states import Reported


class BoardStates:
    """Tells both."""

    def __init__(self, doors: DoorStates, fixtures: Fixtures) -> None:
        self._both = (doors, fixtures)
        self.fixtures = fixtures

    def heard(self, device: Device) -> None:
        """The board's presence, firmware or policy may have changed."""
        for one in self._both:
            one.heard(device)

    def gone(self, device_id: str) -> None:
        """The board is not believed any more."""
        for one in self._both:
            one.gone(device_id)

    def reported(self, device: Device, state: Reported) -> None:
        """The board says what it is."""
        for one in self._both:
            one.reported(device, state)

    def measured(
        self, device_id: str, *, battery_mv: int | None = None, attempts: int | None = None
    ) -> None:
        """What the board counts and measures."""
        for one in self._both:
            one.measured(device_id, battery_mv=battery_mv, attempts=attempts)
