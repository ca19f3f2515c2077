# From config.json to a board at work, part by part: each is forgotten before the next is loaded, and
# the supervisor forgets this one. So a start needs little more heap than the board at work.

import asyncio
import gc

from doorward_core.topics import device_topic
from doorward_node import forget


def prepare(path):
    # (config, what the supervisor watches): the strike is safe from here on. (None, None) for a config
    # that no board can work with. The role's build() is in the config then.
    from doorward_node import config

    try:
        found = config.load(path)
    except config.ConfigError as error:
        print("doorward: config:", error)
        return None, None
    finally:
        forget("config")
    del config
    name = "roles." + found["role"]
    role = __import__("doorward_node." + name, None, None, ("lock",))
    found["build"] = role.build
    strike = role.lock(found)
    forget(name)
    forget("roles")
    return found, strike


def go(config, strike, trial, directory=""):
    # The App, with everything on its way that has to run at the same time. Empties the config.
    # directory: where the board keeps its files.
    # The largest single piece first, while the heap is in one piece.
    from doorward_node import connection

    date, link, wifi = connection.connect(config, directory)
    forget("connection")
    del connection
    from doorward_node import assembly

    app, reader = assembly.assemble(config, strike, directory)
    forget("assembly")
    del assembly
    app.date = date
    from doorward_node import opening

    prefix = device_topic(config["base"], config["id"], "")
    opening.open_up(app, reader, link, wifi, config, prefix, directory)
    config.clear()
    forget("opening")
    del opening
    # From here on rubbish is collected while nobody waits (app), or when there is no room left: a
    # collection in the middle of a tap costs more than the rest of it.
    gc.threshold(-1)
    for coroutine in app.loops():
        asyncio.create_task(coroutine)
    if trial:
        from doorward_node.trial import prove

        asyncio.create_task(prove(app))
    return app
