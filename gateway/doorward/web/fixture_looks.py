"""How lamps and motion sensors read. Pure, like `looks`."""

from doorward.app.views.fixtures import LightView, MotionView

_CAUSES = {
    "command": "set from here",
    "button": "by its button",
    "motion": "by its own motion sensor",
    "start": "as before it started",
}


def light_words(light: LightView) -> str:
    """How bright a lamp is, and why."""
    if light.level is None:
        return "It has not said yet how bright it is."
    how = f"{light.level} %" if light.level else "Off"
    if light.level and light.kelvin is not None:
        how += f", {light.kelvin} K"
    cause = _CAUSES.get(light.cause or "", "")
    was = "" if light.online else " when last heard"
    return f"{how}{was}{f' ({cause})' if cause else ''}"


def motion_words(sensor: MotionView) -> str:
    """Whether anybody is there."""
    if not sensor.online:
        return "Not known while it is offline."
    if sensor.motion is None:
        return "It warms up, and sees nobody yet."
    return "Somebody is there." if sensor.motion else "Nobody is there."
