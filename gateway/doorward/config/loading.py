"""Settings from doorward.toml in the data directory, DOORWARD_* in the environment and the command line."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from doorward.config.sections import Mqtt, MqttLimits, SignerAccess, Web
from doorward.config.settings import Settings
from doorward.errors import ConfigError

FILE_NAME = "doorward.toml"
# What the environment may say, and where it belongs. DOORWARD_DATA is the caller's to read.
ENVIRONMENT = {
    "DOORWARD_BASE": ("base",),
    "DOORWARD_BROKER": ("broker",),
    "DOORWARD_TIMEZONE": ("timezone",),
    "DOORWARD_WEB_HOST": ("web", "host"),
    "DOORWARD_WEB_PORT": ("web", "port"),
    "DOORWARD_MQTT_HOST": ("mqtt", "host"),
    "DOORWARD_MQTT_PORT": ("mqtt", "port"),
    "DOORWARD_SIGNER_SOCKET": ("signer", "socket"),
    "DOORWARD_MQTT_PLAIN_PORT": ("mqtt", "plain_port"),
    "DOORWARD_MQTT_WEBSOCKET_PORT": ("mqtt", "websocket_port"),
}


def load(
    directory: Path,
    *,
    port_base: int | None = None,
    defaults: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Read the settings of `directory`. `defaults` count less than the file, `port_base` more than anything.

    Raises ConfigError naming file and key.
    """
    path = directory / FILE_NAME
    values: dict[str, Any] = _merge({}, defaults or {})
    _merge(values, _read(path))
    for name, place in ENVIRONMENT.items():
        if name in environ:
            _merge(values, _nested(place, environ[name]))
    if port_base is not None:
        mqtt = {
            "port": port_base + 1,
            "plain_port": port_base + 2,
            "websocket_port": port_base + 3,
        }
        _merge(values, {"web": {"port": port_base}, "mqtt": mqtt})
    if "directory" in values:
        raise ConfigError(f"{path}: directory is not set there", "use --data", field="directory")
    try:
        return Settings(directory=directory, **values)
    except ValidationError as error:
        raise _explained(path, error) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", "correct that line") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror})", "check its owner and mode"
        ) from error


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.setdefault(key, {}), dict):
            _merge(into[key], value)
        else:
            into[key] = value
    return into


def _nested(place: tuple[str, ...], value: str) -> dict[str, Any]:
    return {place[0]: _nested(place[1:], value) if place[1:] else value}


def _explained(path: Path, error: ValidationError) -> ConfigError:
    """The first thing that is wrong, as one line."""
    first = error.errors(include_url=False)[0]
    place = tuple(str(part) for part in first["loc"])
    key = ".".join(place)
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(place[-1], _known(place[:-1]), 1)
        remedy = f"did you mean {close[0]}?" if close else f"known: {', '.join(_known(place[:-1]))}"
        return ConfigError(f"{path}: {key} is not a setting", remedy, field=key)
    problem, _, remedy = first["msg"].removeprefix("Value error, ").partition("; ")
    return ConfigError(f"{path}: {key}: {problem}", remedy or "correct it", field=key)


def _known(section: tuple[str, ...]) -> list[str]:
    models: dict[tuple[str, ...], type[BaseModel]] = {
        ("web",): Web,
        ("mqtt",): Mqtt,
        ("mqtt", "limits"): MqttLimits,
        ("signer",): SignerAccess,
    }
    return sorted(set(models.get(section, Settings).model_fields) - {"directory"})
