"""What can go wrong at a board's USB port, each with the next step."""

from doorward.errors import DoorwardError


class FlashError(DoorwardError):
    """The board cannot be flashed, or not now; the message says why, and what to do."""

    code = "flash"


class NoPrompt(FlashError):
    """Nothing at the port answers as MicroPython does."""

    code = "no_prompt"


class Unplugged(FlashError):
    """The port has gone in the middle of something."""

    code = "unplugged"

    def __init__(self, port: str) -> None:
        """Say what is lost, which is nothing."""
        super().__init__(
            f"{port} has gone: the cable was pulled, or the board lost its power",
            "plug it in and run the same again, which goes on from there; the board has a whole firmware",
            field="port",
        )


class ScriptFailed(FlashError):
    """What was run on the board raised; `what` is its last line."""

    code = "script_failed"

    def __init__(self, what: str) -> None:
        """Quote it."""
        self.what = what
        super().__init__(
            f"the board failed: {what}", "press its reset button and run the same again"
        )


class Stopped(FlashError):
    """Somebody has pressed ^C."""

    code = "interrupted"
