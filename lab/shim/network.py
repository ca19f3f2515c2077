# network.py  The ESP32's network module over the laptop's own sockets: a station whose access point is always in reach.
STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010


def hostname(name=None):
    return "doorward"


def country(code=None):
    return "XX"


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface=STA_IF):
        self._active = self._connected = False

    def active(self, on=None):
        if on is not None:
            self._active = bool(on)
            self._connected = self._connected and self._active
        return self._active

    def connect(self, ssid=None, key=None, **kwargs):
        if not self._active:
            raise OSError("Wifi Not Started")
        self._connected = True

    def disconnect(self):
        self._connected = False

    def isconnected(self):
        return self._connected

    def status(self, what=None):
        if what == "rssi":
            return -50
        return STAT_GOT_IP if self._connected else STAT_IDLE

    def config(self, name=None, **values):
        return b"\x02\x00\x00\x00\x00\x01" if name == "mac" else None

    def ifconfig(self, addresses=None):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")
