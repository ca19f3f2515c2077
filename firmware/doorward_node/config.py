# What the board was installed with: /config.json, checked once.

import binascii
import json

from doorward_core.topics import is_id


class ConfigError(ValueError):
    # The message names the field. The board stays safe and waits for a correct file.
    pass


def load(path: str) -> dict:
    # The settings, with "secret" left as text and "key" as 32 bytes. Raises ConfigError.
    try:
        with open(path) as file:
            config = json.load(file)
    except OSError:
        raise ConfigError(path + ": missing; put the board's config there")
    except ValueError:
        raise ConfigError(path + ": not JSON")
    check(config)
    config["key"] = binascii.unhexlify(config["key"])
    return config


def check(config: dict) -> None:
    if not isinstance(config, dict) or not is_id(str(config.get("id", ""))):
        raise ConfigError("id: need 1 to 32 of A-Z a-z 0-9 _ -")
    for name in ("secret", "key"):
        if not _is_hex(config.get(name), 64):
            raise ConfigError(name + ": need 64 hex digits")
    for name in (
        "base",
        "broker.host",
        "broker.port",
        "key_epoch",
        "pins.strike.pin",
        "pins.strike.active",
        "pins.reader.spi",
        "pins.reader.sck",
        "pins.reader.mosi",
        "pins.reader.miso",
        "pins.reader.cs",
        "door.strike_s",
        "door.cap_s",
        "door.held_s",
        "poll_ms",
    ):
        wanted = str if name in ("base", "broker.host") else int
        if not isinstance(_find(config, name), wanted):
            raise ConfigError(name + ": need a " + ("text" if wanted is str else "whole number"))
    if not 2 <= config["door"]["cap_s"] <= 60:
        raise ConfigError("door.cap_s: need 2 to 60 seconds")


def _find(config: dict, path: str):
    value = config
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _is_hex(value: "object", digits: int) -> bool:
    if not isinstance(value, str) or len(value) != digits:
        return False
    try:
        binascii.unhexlify(value)
    except ValueError:
        return False
    return True
