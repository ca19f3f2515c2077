# Keeps the board on its Wi-Fi. Never opens an access point of its own.

import asyncio

import network
from doorward_core.compat import const

_ATTEMPT_MS = const(15000)
_PAUSE_MS = const(2000)
_CHECK_MS = const(1000)


class Wifi:
    # settings: {"ssid", "password"}.
    def __init__(self, settings: "dict[str, str]") -> None:
        self.settings = settings
        self._station = network.WLAN(network.STA_IF)

    def signal(self) -> "int | None":
        # Received strength in dBm.
        if not self._station.isconnected():
            return None
        return self._station.status("rssi")

    async def run(self) -> None:
        # Connects, and again whenever the connection is gone.
        self._station.active(True)
        try:
            # Power saving costs up to 100 ms on every packet. Not every port has the setting.
            self._station.config(pm=network.WLAN.PM_NONE)
        except (AttributeError, ValueError, OSError):
            pass
        while True:
            if not self._station.isconnected():
                await self._attempt(self.settings)
            await asyncio.sleep_ms(_CHECK_MS)

    async def _attempt(self, settings: "dict[str, str]") -> None:
        try:
            # connect() while connecting raises: https://github.com/micropython/micropython/issues/7139
            self._station.disconnect()
            self._station.connect(settings["ssid"], settings["password"])
        except OSError:
            await asyncio.sleep_ms(_PAUSE_MS)
            return
        for _ in range(_ATTEMPT_MS // 100):
            if self._station.isconnected():
                return
            await asyncio.sleep_ms(100)
