# A door or a vault on one board with a motion sensor, a lamp, or both.

from doorward_node import forget
from doorward_node.roles.fitting import fit

forget("roles.fitting")


def lock(config):
    name = "roles." + ("vault" if "padlock" in config["pins"] else "door")
    base = __import__("doorward_node." + name, None, None, ("lock",))
    forget(name)
    config["within"] = base.build  # for build()
    return base.lock(config)


def build(config, watched, directory, common, now):
    app, reader = config.pop("within")(config, watched, directory, common, now)
    fit(app, config["pins"], directory, now)
    return app, reader
