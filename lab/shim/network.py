# network.py  The ESP32's network module over the laptop's own sockets: a station, and the air that the lab tells of.
#
# As ports/esp32/network_wlan.c has it: connect() begins, status() tells; a failure is told only once no more
# reconnects are due; disconnect() takes the driver a moment; connect() before that is an "Internal Error". What is
# sent while there is no access point is not lost here: the sockets are the laptop's. A test that wants silence holds
# its broker's relay still (lab/README.md).
from time import ticks_add, ticks_diff, ticks_ms

from lab_parts import link
from machine import air

__all__ = ("WLAN",)

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_BEACON_TIMEOUT = 200
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202

_LEAVING = 0  # besides the STAT_ words: a disconnect() that has not come to pass
_ASSOC_LEAVE = 8
_CONNECT_MS = 150
_FAIL_MS = 300
_LEAVE_MS = 60

_stations = {}

rssi = -50  # dBm


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

    def __new__(cls, interface=STA_IF):
        # As on the chip: there is one station, and it outlives whoever asked for it.
        if interface not in _stations:
            _stations[interface] = made = super().__new__(cls)
            made._interface = interface
            made._active = made._requested = False
            made._state = STAT_IDLE
            made._reason = made._failed = made._most = 0
            made._due = None
        return _stations[interface]

    def __init__(self, interface=STA_IF):
        pass

    def active(self, on=None):
        if on is not None:
            if on and self._interface == AP_IF:
                print("lab: an access point was opened")
            if not on:
                self._requested = False
                self._state = STAT_IDLE
                self._due = None
            self._active = bool(on)
        return self._active

    def connect(self, ssid=None, key=None, **kwargs):
        self._step()
        if not self._active:
            raise OSError("Wifi Not Started")
        if self._state != STAT_IDLE:
            # https://github.com/micropython/micropython/issues/7139
            raise OSError("Wifi Internal Error")
        self._wanted = (ssid, key)
        self._requested = True
        self._failed = 0
        self._begin()

    def disconnect(self):
        self._step()
        if not self._active:
            raise OSError("Wifi Not Started")
        self._requested = False
        if self._state != STAT_IDLE:
            self._state = _LEAVING
            self._due = ticks_add(ticks_ms(), _LEAVE_MS)

    def isconnected(self):
        self._step()
        return self._state == STAT_GOT_IP

    def status(self, what=None):
        self._step()
        if what == "rssi":
            if self._state != STAT_GOT_IP:
                raise OSError("Wifi Unknown Error 0x300f")
            return rssi
        if self._state == STAT_GOT_IP:
            return STAT_GOT_IP
        if self._requested and (not self._most or self._failed < self._most):
            return STAT_CONNECTING
        return self._reason or STAT_IDLE

    def config(self, name=None, **values):
        if "reconnects" in values:
            # -1: for ever, which is also what it does unless told.
            self._most = values["reconnects"] + 1
        return b"\x02\x00\x00\x00\x00\x01" if name == "mac" else None

    def ifconfig(self, addresses=None):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    # --- what goes on in the driver

    def _begin(self):
        self._state = STAT_CONNECTING
        self._due = ticks_add(
            ticks_ms(), _CONNECT_MS if self._answer() == STAT_GOT_IP else _FAIL_MS
        )

    def _answer(self):
        # What comes of an attempt: STAT_GOT_IP, why not, or 0 where nothing ever comes.
        code, ssid, key = air
        if code != STAT_GOT_IP:
            return code
        if ssid is not None and self._wanted[0] != ssid:
            return STAT_NO_AP_FOUND
        return STAT_WRONG_PASSWORD if key is not None and self._wanted[1] != key else code

    def _step(self):
        link.poll()
        if self._state == STAT_GOT_IP:
            # An access point that is deaf (0) still sends its beacons: nobody notices.
            if air[0] and self._answer() != STAT_GOT_IP:
                self._lost(STAT_BEACON_TIMEOUT)
        elif self._due is not None and ticks_diff(ticks_ms(), self._due) >= 0:
            if self._state == _LEAVING:
                self._state = STAT_IDLE
                self._reason = _ASSOC_LEAVE
                self._due = None
            elif self._answer() == STAT_GOT_IP:
                self._state = STAT_GOT_IP
                self._reason = 0
                self._due = None
            elif self._answer():
                self._lost(self._answer())

    def _lost(self, reason):
        self._reason = reason
        self._failed += 1
        if self._requested and (not self._most or self._failed < self._most):
            self._begin()
        else:
            self._state = STAT_IDLE
            self._due = None
