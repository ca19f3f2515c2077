"""After the reset: whether the gateway hears the board, or the exact reason why not, from what it prints."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from doorward.flash.errors import FlashError
from doorward.flash.listen import Port

_ASK_S = 0.25
_WIFI = re.compile(r"doorward: wifi: (\d+)")
_BROKER = re.compile(r"doorward: broker: (.*)")
_CONFIG = re.compile(r"doorward: config: (.*)")
_RAISED = re.compile(r"^([A-Za-z]+(?:Error|Exception)): ?(.*)$")
_CONNECTED = 1010
_NO_ACCESS_POINT, _FULL = 201, 203
_PASSWORD = (202, 204, 15)
# Errno as Linux and as an ESP32 (lwIP) say it.
_REFUSED = re.compile(r"\b(111|ECONNREFUSED)\b")
_UNREACHABLE = re.compile(r"\b(110|113|116|118|119|ETIMEDOUT|EHOSTUNREACH)\b")
_CLOSED = re.compile(r"\b(32|104|ECONNRESET|EPIPE|-30592|-0x7780|4|5)\b")
_CLOCK = re.compile(r"expired|future|not yet valid", re.IGNORECASE)
_NAME = re.compile(r"CN|name", re.IGNORECASE)
_TRUST = re.compile(r"certificate|CA|X509|MBEDTLS", re.IGNORECASE)


def wait(
    port: Port, board: Callable[[], Mapping[str, Any]], wait_s: float, *, ssid: str, broker: str
) -> float:
    """Reset the board; returns the seconds until the gateway heard it. Raises FlashError with the reason why not.

    board: asks the gateway for its view of it.
    """
    began, since = time.monotonic(), datetime.now(UTC)
    port.reset()
    asked = began
    while time.monotonic() < began + wait_s:
        for line in port.hear():
            if found := _CONFIG.search(line):
                raise _never(f"its configuration is refused: {found[1]}", "mend boards/NAME.toml")
        if time.monotonic() >= asked + _ASK_S:
            asked = time.monotonic()
            heard = board().get("heard_at")
            if heard is not None and datetime.fromisoformat(heard) > since:
                return time.monotonic() - began
    raise reason(port.lines, ssid=ssid, broker=broker, wait_s=wait_s)


def reason(lines: Iterable[str], *, ssid: str, broker: str, wait_s: float) -> FlashError:
    """Why a board that printed this was not heard."""
    said = list(lines)
    if raised := _last(_RAISED, said):
        return _never(f"its program failed: {raised[1]}: {raised[2]}", "report this, with the line")
    wifi = _last(_WIFI, said)
    if wifi is not None and int(wifi[1]) != _CONNECTED:
        return _wifi(int(wifi[1]), ssid)
    if error := _last(_BROKER, said):
        return _broker(error[1], broker)
    if wifi is None:
        if not said:
            return _never("it says nothing", "press its reset button, and look at `mpremote`")
        return _never(
            f"it has not reached the Wi-Fi {ssid} in {wait_s:.0f} s",
            "put it nearer to the access point, or wait longer with --wait",
        )
    return _never(
        f"it is on the Wi-Fi {ssid}, and has not reached {broker} in {wait_s:.0f} s",
        "is that this machine? say another with --broker HOST, or wait longer with --wait",
    )


def _wifi(status: int, ssid: str) -> FlashError:
    if status == _NO_ACCESS_POINT:
        return _never(
            f"there is no Wi-Fi {ssid} where it is (201)",
            "mind the spelling (--wifi), and that it is one at 2.4 GHz",
        )
    if status in _PASSWORD:
        return _never(f"the password of the Wi-Fi {ssid} is wrong ({status})", "say --wifi again")
    if status == _FULL:
        return _never(f"the Wi-Fi {ssid} does not let it in (203)", "look at the access point")
    return _never(f"the Wi-Fi {ssid} fails ({status})", "docs/boards.md has the numbers")


def _broker(error: str, broker: str) -> FlashError:
    if _CLOCK.search(error):
        return _never(
            f"the broker's certificate is out of date ({error})", "set this machine's clock"
        )
    if _REFUSED.search(error):
        return _never(
            f"nobody listens at {broker}", "start the gateway, or say where it is with --broker"
        )
    if _UNREACHABLE.search(error):
        return _never(
            f"{broker} does not answer it", "is a firewall in between? or say another with --broker"
        )
    if _TRUST.search(error) or _NAME.search(error):
        return _never(
            f"what it finds at {broker} is not this gateway ({error})",
            "say where the gateway is with --broker, or give the board new keys with --again",
        )
    if _CLOSED.search(error):
        return _never(
            f"the broker at {broker} does not take its keys ({error})",
            "give it new ones with --again",
        )
    return _never(f"it does not reach {broker} ({error})", "say another with --broker")


def _last(pattern: re.Pattern[str], lines: list[str]) -> re.Match[str] | None:
    return next((found for line in reversed(lines) if (found := pattern.search(line))), None)


def _never(why: str, remedy: str) -> FlashError:
    return FlashError(f"the firmware is on it, but it did not come online: {why}", remedy)
