# Until somebody has approved this board it announces itself, and hears nothing but the answer.
#
# config.json carries a claim code for it. Once that is answered it stands in /claimed too, and this
# module is not loaded any more. For the app it is where the link will be, and down: the door
# meanwhile decides by itself.

import asyncio
from errno import ECONNRESET, ENOTCONN

from doorward_core import topics
from doorward_core.compat import const
from doorward_core.messages import decode, encode
from doorward_node import VERSION, files, forget

_AGAIN_MS = const(10000)


class Claim:
    up = False

    # mark: the file of the claim code that was answered. own: the callback, will and filters that
    # the app wants of the link.
    def __init__(self, config, mark, session, link, app, own):
        self._claim = config["claim"]
        self._board = config.get("board", "unknown")
        self._base = config["base"]
        self._mark = mark
        self._session = session
        self._link = link
        self._app = app
        self._own = own

    def send(self, *_message):
        raise OSError(ENOTCONN)

    async def run(self, on_up):
        self._on_up = on_up
        self._task = asyncio.current_task()
        self._link.callback = self._on_message
        self._link.filters.append((self._topic(topics.REGISTERED), 0))
        asyncio.create_task(self._link.run(self._announce))
        while True:
            await asyncio.sleep_ms(_AGAIN_MS)
            if self._link.up:
                self._announce()

    def _topic(self, suffix):
        return topics.device_topic(self._base, self._session.keys.device, suffix)

    def _announce(self):
        body = encode(
            {
                "v": 1,
                "device_id": self._session.keys.device,
                "claim": self._claim,
                "board": self._board,
                "firmware": VERSION,
            }
        )
        payload = self._session.say(topics.REGISTER, body)
        try:
            self._link.send(self._topic(topics.REGISTER), payload, False, 1)
        except OSError:
            pass  # said again after the next connect

    def _on_message(self, _topic, payload, retained, _dup):
        try:
            body = self._session.open(topics.REGISTERED, payload)[2]
            if retained or decode(body).get("status") != "approved":
                return
        except ValueError:
            return  # not from our gateway, or for a former start of this board
        try:
            files.replace(self._mark, self._claim.encode())
        except OSError:
            pass  # it asks once more after the next start
        link = self._link
        link.callback, link.will, link.filters = self._own
        link.on_up = self._on_up
        self._app.link = link
        self._task.cancel()  # pyright: ignore[reportOptionalMemberAccess]  # it would keep this module for as long as it sleeps
        forget("claim")
        # Ends this connection: the next one is the door's, with its will and its own topics.
        raise OSError(ECONNRESET)
