# Keeps the board on its Wi-Fi. Never opens an access point of its own.
#
# The driver is not left to reconnect by itself: it would do so for ever, and never say why it fails.
# Every step here is short, and what raises is tried again: the door does not need the network.

import asyncio
from time import ticks_ms

import network
from doorward_core.compat import const
from doorward_node import flight

_ATTEMPT_MS = const(15000)
_LOOK_MS = const(100)
_CHECK_MS = const(1000)
_PAUSE_MS = const(2000)
# What a disconnect() takes: a connect() before that raises "Wifi Internal Error"
# (https://github.com/micropython/micropython/issues/7139).
_SETTLE_MS = const(200)
# After so many failures in a row the radio is switched off and on: a driver may be stuck.
_RADIO = const(8)
# Connected, as it says, and the broker silent for so long: isconnected() stays True at an access
# point that has died (https://github.com/micropython/micropython/issues/3967).
_DEAF_S = const(120)

# flight.py has its codes.
_WIFI = const(5)

# network.STAT_CONNECTING and STAT_GOT_IP; not every port has them.
_CONNECTING = const(1001)
_GOT_IP = const(1010)


class Wifi:
    # settings: {"ssid", "password"}; link: what its silence is taken from. status: as the driver
    # told it last; alive: the tick of the last step.
    link = None

    def __init__(self, settings: "dict[str, str]") -> None:
        self.settings = settings
        self.status = 0
        self.alive = ticks_ms()
        self._station = network.WLAN(network.STA_IF)

    def signal(self) -> "int | None":
        # Received strength in dBm; None without a connection, which may have gone this instant.
        try:
            return self._station.status("rssi")
        except OSError:
            return None

    async def run(self) -> None:
        left = 0  # attempts before the radio is switched off and on
        while True:
            try:
                if not left:
                    left = _RADIO
                    self._switch_on()
                left -= 1
                if await self._attempt():
                    left = _RADIO
                    await self._stay()
                    self.status = 0
                    continue
            except OSError:
                pass  # the driver was not ready
            await self._rest(_PAUSE_MS)

    def _switch_on(self) -> None:
        self._station.active(False)
        self._station.active(True)
        # Power saving costs up to 100 ms on every packet. Not every port has the settings.
        for name, value in (("reconnects", 0), ("pm", 0)):
            try:
                self._station.config(**{name: value})  # pyright: ignore[reportArgumentType]
            except (AttributeError, ValueError, OSError):
                pass

    async def _attempt(self) -> bool:
        # Raises OSError when the driver is not ready.
        station = self._station
        station.disconnect()
        await self._rest(_SETTLE_MS)
        station.connect(self.settings["ssid"], self.settings["password"])
        for _ in range(_ATTEMPT_MS // _LOOK_MS):
            await self._rest(_LOOK_MS)
            status = station.status()
            if status != _CONNECTING:
                if status != self.status:
                    # 1010: connected. Others say why not: docs/boards.md.
                    self.status = status
                    flight.note(_WIFI, status)
                    print("doorward: wifi:", status)
                return status == _GOT_IP
        return False

    async def _stay(self) -> None:
        # Returns when the connection is gone, or does not deserve the name.
        deaf = 0
        while self._station.isconnected() and deaf < _DEAF_S:
            await self._rest(_CHECK_MS)
            deaf = 0 if not self.link or self.link.up else deaf + 1

    async def _rest(self, ms: int) -> None:
        self.alive = ticks_ms()
        await asyncio.sleep_ms(ms)
