"""Virtual boards: real MicroPython processes on virtual hardware, with a witness of what their pins did."""

from doorward_lab.air import Air
from doorward_lab.board import Board
from doorward_lab.causes import Cause
from doorward_lab.errors import BoardFailed, FirmwareError, LabError, MissingTool, SiteError
from doorward_lab.lab import Lab
from doorward_lab.readers import Fault
from doorward_lab.serial_port import SerialPort
from doorward_lab.wire import Duty, Edge, Heap

__all__ = [
    "Air",
    "Board",
    "BoardFailed",
    "Cause",
    "Duty",
    "Edge",
    "Fault",
    "FirmwareError",
    "Heap",
    "Lab",
    "LabError",
    "MissingTool",
    "SerialPort",
    "SiteError",
]
