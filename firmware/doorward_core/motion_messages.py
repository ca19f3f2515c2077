# What a motion sensor says beside its events. The keys are a seed's.

from doorward_core.messages import encode

SENSORS = "telemetry/sensors"


def sensors(device: str, motion: bool, timestamp: str) -> bytes:
    return encode({"motion_detected": motion, "timestamp": timestamp, "device_id": device})
