# What a vault says beyond other boards. The words and keys are a seed's.

from doorward_core.messages import encode


def status(
    state: str, error: "str | None", control: "bool | None", hold_s: "int | None" = None
) -> "dict[str, object]":
    # What status/reported has beside the rest. state: "LOCKED", "UNLOCKED" or lockout.STATE; error:
    # None or a text; control: whether its control computer's keep-alives come, None without one;
    # hold_s: how long the lockout that it is in still lasts, None until it is released.
    fields: "dict[str, object]" = {"state": state, "error": error, "control": control}
    if hold_s is not None:
        fields["hold_s"] = hold_s
    return fields


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
