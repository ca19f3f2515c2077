"""Who may connect to the broker, as the application told it."""


class Gate:
    def __init__(self) -> None:
        self.open: dict[str, tuple[bytes, bool]] = {}  # device -> digest, whether it waits
        self.told: list[str] = []

    def check_name(self, device: str) -> None:
        """Nobody else is there."""

    async def admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        self.told.append(f"admit {device}")
        self.open[device] = (digest, waiting)

    async def expel(self, device: str) -> None:
        self.told.append(f"expel {device}")
        self.open.pop(device, None)

    async def enforce(self, device: str) -> None:
        self.told.append(f"enforce {device}")
