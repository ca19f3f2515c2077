"""The board itself: its Wi-Fi, clock, heap, flash, and whether the broker keeps its rules."""

from doorward.domain.diagnosis.findings import Finding, Readings, Rule, number
from doorward.domain.wiring import Wiring

# Below it packets are lost; -67 dBm is what is wanted for speech.
_WEAK_DBM = -80
_TIME_S = 30  # in which every board has asked for the time a few times
_LITTLE_HEAP = 6_000
_LITTLE_KIB = 16  # four blocks: a log segment, a cache and a rename


def _wifi(readings: Readings, _wiring: Wiring) -> Finding | None:
    dbm = number(readings.get("board", {}), "rssi")
    if dbm is None or dbm > _WEAK_DBM:
        return None
    return Finding(
        "wifi.weak",
        f"The Wi-Fi arrives with {dbm} dBm, and packets are lost from {_WEAK_DBM} on",
        "turn the board's antenna away from metal, or move the access point nearer",
    )


def _clock(readings: Readings, _wiring: Wiring) -> Finding | None:
    board = readings.get("board", {})
    uptime = number(board, "uptime")
    if board.get("clock") is not False or uptime is None or uptime < _TIME_S:
        return None
    return Finding(
        "clock.unset",
        f"The board does not know the time after {uptime} s",
        "its questions take more than two seconds there and back; look at the network between it and the gateway",
    )


def _heap(readings: Readings, _wiring: Wiring) -> Finding | None:
    free = number(readings.get("board", {}), "heap")
    if free is None or free >= _LITTLE_HEAP:
        return None
    return Finding(
        "heap.low",
        f"The board has {free} bytes of heap left",
        "restart it; if that comes again, give it fewer parts, or a chip with PSRAM",
    )


def _full(readings: Readings, _wiring: Wiring) -> Finding | None:
    flash = readings.get("flash", {})
    free = number(flash, "free")
    if "errno" not in flash and (free is None or free >= _LITTLE_KIB):
        return None
    return Finding(
        "flash.full",
        f"The flash is full: {free} KiB are left, and the log needs {_LITTLE_KIB}",
        "delete what is not doorward's (`mpremote fs tree`), or put the firmware on anew",
    )


def _worn(readings: Readings, _wiring: Wiring) -> Finding | None:
    if readings.get("flash", {}).get("same") is not False:
        return None
    return Finding(
        "flash.worn",
        "The flash does not hold what is written to it",
        "replace the board: it will lose its log next",
    )


def _unlogged(readings: Readings, _wiring: Wiring) -> Finding | None:
    flash = readings.get("flash", {})
    count = number(flash, "unlogged")
    if not count:
        return None
    what = f"The board's log did not take {count} events"
    if flash.get("refused") is True:
        return Finding(
            "log.fails",
            f"{what}, and its flash refused the last",
            "leave the board connected until what its log holds is in the audit, then replace it",
        )
    return Finding(
        "log.fails",
        what,
        "it had no room in RAM for them, or its flash failed for a moment; test it again in a minute",
    )


def _broker(readings: Readings, _wiring: Wiring) -> Finding | None:
    echoes = number(readings.get("broker", {}), "echoes")
    if not echoes:
        return None
    return Finding(
        "broker.rules",
        "The broker let this board say what only the gateway may",
        "its rules are not in force; `doorward broker acl list`, or `doorward broker mosquitto restart`",
    )


RULES = (
    Rule("flash.worn", _worn),
    Rule("flash.full", _full),
    Rule("log.fails", _unlogged),
    Rule("broker.rules", _broker),
    Rule("wifi.weak", _wifi),
    Rule("clock.unset", _clock),
    Rule("heap.low", _heap),
)
