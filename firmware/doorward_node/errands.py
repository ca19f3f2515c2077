# What a board does now and then: a new key, an update, a self-test. The code of each is loaded for that.

import asyncio
import gc

from doorward_core import topics
from doorward_core.seal import SealError
from doorward_node import CONFIG, forget


def rekey(app, nonce, body, now):
    # A new key came, sealed to the nonce that was asked for it. Raises SealError.
    if not app.commands.rekey.take(nonce, now):
        raise SealError("late")
    from doorward_node import rekey as taking

    said, renewed = taking.take(CONFIG, app.session.keys, nonce, body)
    app.say(topics.COMMANDS_ACK, said)
    forget("rekey")
    if renewed:
        app.restart()


def update(app, uptime):
    # One turn of the update at work, or of one that was offered.
    heard, app.firmware = app.firmware, None
    if not app.update:
        gc.collect()
        try:
            from doorward_node import update as pulling

            app.update = pulling.Update()
            forget("update")
        except MemoryError:
            order = heard[0] if heard else 0
            data = {"order": order, "version": "", "state": "refused", "reason": "memory"}
            app.journal.add("update", data)
            return
    said = app.update.turn(app, heard, uptime)
    if said:
        app.say(topics.COMMANDS_ACK, said)
    elif said is None:
        app.update = None


def test(app):
    # Begins the self-test that was asked for.
    command_id, parameters = app.commands.testing or ("", {})
    app.commands.testing = ()
    try:
        from doorward_node import selftest

        asyncio.create_task(selftest.run(app, command_id, parameters))
    except (MemoryError, ImportError):
        app.commands.testing = None
        app.answer(command_id, "failed")
