# What the board was installed with: /config.json and /tls, checked once. Its errors are formatted:
# pieces of up to ten letters would be names, which stay on the heap when this module is forgotten.

import binascii
import json

from doorward_core.topics import is_id
from doorward_node import files, forget

# role: the parts without which its program (roles/<role>.py) cannot work.
ROLES = {
    "door": ("strike", "reader or keypad"),
    "vault": ("padlock", "reader or keypad"),
    "motion": ("pir",),
    "lamp": ("lamp",),
    "combined": ("strike or padlock", "reader or keypad", "pir or lamp"),
}
PROFILES = ("secure", "classic")


class ConfigError(ValueError):
    # The message names the field. The board stays safe and waits for a correct file.
    pass


# name, least, most. A reader that is polled more seldom looks as if it hung.
_NUMBERS = (
    ("broker.port", 1, 65535),
    ("key_epoch", 1, 65535),
    ("door.strike_s", 1, 60),
    ("door.cap_s", 2, 60),
    ("door.held_s", 1, 86400),
    ("poll_ms", 10, 1000),
)


# What a board needs for TLS: whom it trusts, and who it is. DER, the only form it can read.
_TLS_FILES = ("/ca.der", "/cert.der", "/key.der")
_BROKER_NAME = "doorward-broker"


def load(path: str, tls: str = "/tls") -> dict:
    # The settings, with "secret" left as text, "key" and "former_key" (b"" without one) as bytes,
    # and "tls" the folder of certificates, None without one.
    # Raises ConfigError.
    try:
        with open(path) as file:
            config = json.load(file)
    except OSError:
        raise ConfigError(path + ": missing; put the board's config there")
    except ValueError:
        raise ConfigError(f"{path}: not JSON")
    missing = [name for name in _TLS_FILES if files.read(tls + name) is None]
    has_tls = len(missing) < len(_TLS_FILES)
    if has_tls and missing:
        raise ConfigError(tls + missing[0] + ": missing; put all of the board's certificates there")
    check(config, has_tls)
    for name in ("key", "former_key"):
        config[name] = binascii.unhexlify(config.get(name, ""))
    config["tls"] = tls if has_tls else None
    config["broker"].setdefault("name", _BROKER_NAME)
    return config


def check(config: dict, has_tls: bool) -> None:
    if not isinstance(config, dict) or not is_id(str(config.get("id", ""))):
        raise ConfigError("id: need 1 to 32 of A-Z a-z 0-9 _ -")
    for name in ("secret", "key"):
        if not _is_hex(config.get(name), 64):
            raise ConfigError(name + ": need 64 hex digits")
    if "former_key" in config and not _is_hex(config["former_key"], 64):
        raise ConfigError("former_key: need 64 hex digits")
    # Good for one approval; a board that was put up before there were any has none.
    if "claim" in config and not _is_hex(config["claim"], 32):
        raise ConfigError("claim: need 32 hex digits")
    if not isinstance(config.get("base"), str):
        raise ConfigError("base: need a text")
    host = _find(config, "broker.host")
    if not _is_ipv4(host) and not _is_name(host):
        raise ConfigError("broker.host: need an IPv4 address, or a whole name like gateway.local")
    if not has_tls and config["broker"]["host"] != "127.0.0.1":
        # A password in the clear is for a virtual board and its own machine.
        raise ConfigError("broker.host: without /tls only 127.0.0.1; put the certificates there")
    # With an empty name the port would check none.
    name = config["broker"].get("name", _BROKER_NAME)
    if not isinstance(name, str) or not name:
        raise ConfigError("broker.name: need a name as in the broker's certificate")
    _check_role(config)
    for name, low, high in _NUMBERS:
        value = _find(config, name)
        # True is an int, too.
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ConfigError(f"{name}: need a whole number from {low} to {high}")


def _check_role(config: dict) -> None:
    # The files of boards that were put up before there was another role name none.
    role = config.setdefault("role", "door")
    if role not in ROLES:
        known = ", ".join(sorted(ROLES))
        raise ConfigError(f"role: this firmware has a program for {known} alone")
    from doorward_node import config_pins

    config_pins.check(config.get("pins"))
    for parts in ROLES[role]:
        names = parts.split(" or ")
        if not any(name in config["pins"] for name in names):
            raise ConfigError(f"pins.{names[0]}: a {role} needs a {parts}")
    forget("config_pins")
    if config.setdefault("profile", PROFILES[0]) not in PROFILES:
        raise ConfigError("profile: need " + " or ".join(PROFILES))


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


def _is_ipv4(value: "object") -> bool:
    parts = value.split(".") if isinstance(value, str) else ()
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def _is_name(value: "object") -> bool:
    # Of two parts or more; the last one is no number, or it would be a mistaken address.
    if not isinstance(value, str) or len(value) > 253:
        return False
    parts = value.split(".")
    return len(parts) > 1 and not parts[-1].isdigit() and all(_is_label(part) for part in parts)


def _is_label(part: str) -> bool:
    known = all("a" <= sign <= "z" or sign.isdigit() or sign == "-" for sign in part.lower())
    return 0 < len(part) < 64 and known and part[0] != "-" and part[-1] != "-"
