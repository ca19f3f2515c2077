# What a vault says beyond other boards. The words and keys are a seed's.

from doorward_core.messages import encode


def status(state: str, error: "str | None", control: "bool | None") -> "dict[str, object]":
    # What status/reported has beside the rest. state: "LOCKED", "UNLOCKED" or lockout.STATE; error:
    # None or a text; control: whether its control computer's keep-alives come, None without one.
    return {"state": state, "error": error, "control": control}


def metrics(
    login_attempts: int,
    cpu: int,
    heap: "tuple[int, int]",
    network: "dict[str, object]",
    uptime_s: int,
    timestamp: str,
) -> bytes:
    # For telemetry/metrics. login_attempts: since somebody was let in; cpu in percent; heap: bytes
    # used and free.
    return encode(
        {
            "login_attempts": login_attempts,
            "cpu": cpu,
            "heap": {"used": heap[0], "free": heap[1]},
            "network": network,
            "uptime": uptime_s,
            "timestamp": timestamp,
        }
    )
