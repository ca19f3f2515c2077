# network.py  The ESP32's network module over the laptop's own sockets: a station whose access point is always in reach.
STA_IF = 0
AP_IF = 1

STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202

_hostname = "doorward"


def hostname(name=None):
    global _hostname
    if name is None:
        return _hostname
    _hostname = name


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
        if on is None:
            return self._active
        self._active = bool(on)
        self._connected = self._connected and self._active

    def connect(self, ssid=None, key=None, *, bssid=None):
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

    def config(self, *names, **values):
        if names:
            return {"mac": b"\x02\x00\x00\x00\x00\x01", "ssid": "lab", "reconnects": -1, "pm": 0}.get(names[0])

    def ifconfig(self, addresses=None):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")
