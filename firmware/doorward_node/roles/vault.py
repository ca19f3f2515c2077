# A vault: padlock, keypad or reader or both, a lockout, and a lid switch if there is one.

import doorward_drivers
from doorward_core.compat import const
from doorward_core.door import Settings
from doorward_core.lockout import CLASSIC_MS
from doorward_node.credentials import Credentials
from doorward_node.lockout import Lockout
from doorward_node.roles import inputs, signals
from doorward_node.taps import Taps
from doorward_node.vault import Vault
from doorward_node.vault_app import VaultApp

# The supervisor's limit lies this far behind the end of a movement: a stalled loop is no fault yet.
_SLACK_MS = const(1000)


def lock(config):
    bolt = doorward_drivers.make("padlock", config["pins"]["padlock"])
    config["bolt"] = bolt  # for build()
    drive = bolt.drive  # pyright: ignore[reportOptionalMemberAccess] - config has checked it
    drive.cap_ms = max(drive.cap_ms, drive.move_ms + _SLACK_MS)
    return drive


def build(config, drive, directory, common, now):
    prefix, session, clock, journal = common
    credentials = Credentials(directory, session.keys)
    times = config["door"]
    settings = Settings(times["strike_s"] * 1000, times["cap_s"] * 1000)
    hold_ms = CLASSIC_MS if config["profile"] == "classic" else None
    told = signals(config["pins"], journal.add)
    log = told.log if told else journal.add
    gate = Lockout(directory + "/lockout", hold_ms, log, now)
    vault = Vault(config["bolt"], gate, settings, log, now)
    vault.tamper = doorward_drivers.make("debounce", config["pins"].get("tamper"))
    if credentials.config:
        vault.apply(credentials.config)
    taps = Taps(0, session, credentials, clock, vault, log, gate)
    app = VaultApp(prefix, session, clock, journal, credentials, vault, taps, now)
    if told:
        told.attach(app, now)
    app.battery = doorward_drivers.make("battery", config["pins"].get("battery"))
    return app, inputs(config, app, told)
