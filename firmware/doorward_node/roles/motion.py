# A motion sensor: a PIR, and what else there is of lid switch, battery and light.

from doorward_node import forget
from doorward_node.app import App
from doorward_node.doorless import Doorless
from doorward_node.roles.fitting import fit

forget("roles.fitting")


def lock(config):
    return Doorless()


def build(config, nothing, directory, common, now):
    # Also of a lamp: what a board is, its parts say.
    prefix, session, clock, journal = common
    app = App(prefix, session, clock, journal, nothing, nothing, nothing, now)
    fit(app, config["pins"], directory, now)
    nothing.log = journal.add
    return app, nothing
