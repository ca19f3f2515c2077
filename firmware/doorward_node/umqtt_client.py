# The client's calls over umqtt.simple, which every ESP32 brings along in its firmware.
#
# For who has to use that one. It is not doorward's own client: every call stops the loop until the
# broker has answered, there is no QoS 2, and what was not acknowledged is not sent again. Mended
# here is what can be from outside: packets in one piece, identifiers that wrap, errors that are
# OSErrors, subscriptions that come back, a ping that is missed, messages that are too long.
# Limits: docs/mqtt-on-boards.md.

import asyncio
from errno import ECONNRESET, ENOTCONN, ETIMEDOUT
from time import ticks_ms

from umqtt import simple

from doorward_core.compat import const, ticks_diff, urandom

__all__ = ("MQTTClient", "MQTTException")

_LOOK_MS = const(20)
# How long the broker may take to answer, and how long a pause between two attempts may be.
_RESPONSE_MS = const(4000)
_BACK_OFF_MS = const(250)
_BACK_OFF_MAX_MS = const(8000)
_LAST_ID = const(65535)
# What is longer is let pass unread, in pieces.
_LARGEST = const(1224)
_PIECE = const(256)


class MQTTException(OSError):
    # The broker refused; args[0] is the CONNACK or SUBACK code.
    pass


class _Whole:
    # umqtt's socket: small writes go out together when somebody reads; a read is whole, or fails.
    def __init__(self, sock):
        self._sock = sock
        self._unsent = b""
        self.heard = ticks_ms()
        self.nothing = False
        self.too_long = False
        self.setblocking(True)

    def write(self, data, size=None):
        self._unsent += data if size is None else data[:size]

    def flush(self):
        unsent, self._unsent = self._unsent, b""
        if unsent and self._sock.write(unsent) != len(unsent):
            raise OSError(ETIMEDOUT)

    def read(self, size):
        self.flush()
        if size > _LARGEST:
            self.too_long = True
            while size > 0:
                self.read(min(size, _PIECE))
                size -= _PIECE
            return b""
        data = self._sock.read(size)
        self.nothing = data is None
        if data is not None:
            if len(data) < size:
                raise OSError(ECONNRESET)
            self.heard = ticks_ms()
        return data

    def setblocking(self, blocking):
        try:
            self._sock.settimeout(_RESPONSE_MS // 1000 if blocking else 0)
        except AttributeError:  # TLS has no time limit
            self._sock.setblocking(blocking)

    def close(self):
        try:
            self.flush()
        except OSError:
            pass  # it was to be closed anyway
        self._sock.close()


class MQTTClient:
    # ssl: as umqtt.simple takes it.
    def __init__(self, client_id, server, port=0, user=None, password=None, keepalive=30, ssl=None):
        given = (_bytes(client_id), server, port, _bytes(user), _bytes(password), keepalive)
        self._simple = simple.MQTTClient(*given, **({"ssl": ssl} if ssl else {}))
        self._simple.set_callback(self._on_message)
        self.keepalive = keepalive
        self.callback = None
        self.up = self.session_present = False
        self.dropped = 0
        self._wanted = []
        self._new = []
        self._asked = None
        self._came = asyncio.Event()
        self._reading = None

    def set_callback(self, callback):
        # callback(topic, msg, retained, dup): the last two are not known here, and False.
        self.callback = callback

    def set_last_will(self, topic, msg, retain=False, qos=0):
        self._simple.set_last_will(_bytes(topic), _bytes(msg), retain, qos)

    async def connect(self, clean_session=True):
        # Whether the broker still had a session. Raises OSError, or MQTTException if the broker
        # refuses. Everything subscribed to before is subscribed to again, unless the session has it.
        self._close()
        present = self._do(self._open, clean_session)
        self.up = True
        self._asked = None
        self.session_present = bool(present)
        for topic, qos in list(self._new if present else self._wanted):
            await self._subscribe(topic, qos)
        self._reading = asyncio.create_task(self._read())
        return self.session_present

    async def run(self, on_up=None):
        # Keeps the connection for ever, with a persistent session. on_up() runs at every connect.
        pause = _BACK_OFF_MS
        while True:
            started = ticks_ms()
            try:
                await self.connect(False)
                if on_up:
                    on_up()
                while self.up:
                    await asyncio.sleep_ms(_LOOK_MS)
                    # Not from how long it lasted when it is over: ticks wrap.
                    if ticks_diff(ticks_ms(), started) > _BACK_OFF_MAX_MS:
                        pause = _BACK_OFF_MS
            except OSError:
                pass  # the next attempt follows
            await asyncio.sleep_ms(pause // 2 + urandom(1)[0] * pause // 512)
            pause = min(pause * 2, _BACK_OFF_MAX_MS)

    async def disconnect(self):
        # Says goodbye, so that the broker drops the will.
        if self.up:
            self._do(self._simple.disconnect)
        self._close()

    async def publish(self, topic, msg, retain=False, qos=0):
        # Returns when the broker has taken the message over (QoS 1) or at once (QoS 0).
        if qos > 1:
            raise ValueError("qos: umqtt.simple knows 0 and 1")
        self._send(self._simple.publish, _bytes(topic), _bytes(msg), retain, qos)

    async def subscribe(self, topic, qos=0):
        # Also on every later connection. Raises MQTTException if the broker refuses.
        self.subscribe_later(topic, qos)
        if self.up:
            await self._subscribe(topic, qos)

    def subscribe_later(self, topic, qos=0):
        if qos > 1:
            raise ValueError("qos: umqtt.simple knows 0 and 1")
        self._forget(topic)
        self._wanted.append((topic, qos))
        self._new.append((topic, qos))

    async def ping(self):
        # Asks for a sign of life; without one the connection ends in 4 s.
        if self.up and self._asked is None:
            self._asked = ticks_ms()
            self._do(self._simple.ping)

    async def wait_msg(self):
        # Until a message has come. Raises OSError without a connection.
        self._came.clear()
        if self.up:
            await self._came.wait()
        if not self.up:
            raise OSError(ENOTCONN)

    async def check_msg(self):
        await asyncio.sleep_ms(0)

    # --- umqtt's own calls ---

    def _open(self, clean_session):
        try:
            present = self._simple.connect(clean_session, _RESPONSE_MS // 1000)
        except TypeError:  # before 1.4 there was no time limit
            present = self._simple.connect(clean_session)
        self._simple.sock = _Whole(self._simple.sock)
        return present

    def _send(self, call, *arguments):
        if not self.up:
            raise OSError(ENOTCONN)
        # It counts on, and 65536 is 0 on the wire: the broker would close.
        if self._simple.pid >= _LAST_ID:
            self._simple.pid = 0
        self._do(call, *arguments)

    async def _subscribe(self, topic, qos):
        try:
            self._send(self._simple.subscribe, _bytes(topic), qos)
        except MQTTException:
            self._forget(topic)
            raise
        self._new = [asked for asked in self._new if asked[0] != topic]

    def _do(self, call, *arguments):
        # umqtt tells what went wrong in many ways; afterwards nothing it reads makes sense.
        try:
            result = call(*arguments)
            if self.up:
                self._simple.sock.flush()
            return result
        except simple.MQTTException as error:
            if not self.up:
                self._close()
            raise MQTTException(*error.args)
        except OSError:
            self._close()
            raise
        except (AssertionError, IndexError, TypeError, ValueError) as error:
            self._close()
            raise OSError(type(error).__name__ + " in umqtt.simple")

    def _close(self):
        sock, self._simple.sock = self._simple.sock, None
        self.up = False
        if sock:
            sock.close()
        if self._reading and self._reading is not asyncio.current_task():
            self._reading.cancel()
        self._reading = None
        self._came.set()

    def _forget(self, topic):
        self._wanted = [asked for asked in self._wanted if asked[0] != topic]
        self._new = [asked for asked in self._new if asked[0] != topic]

    # --- reading ---

    async def _read(self):
        try:
            while self.up:
                sock = self._simple.sock
                sock.nothing = False
                while self.up and not sock.nothing:
                    self._do(self._take)
                if self.up:
                    await self._watch(sock)
                await asyncio.sleep_ms(_LOOK_MS)
        except OSError:
            pass  # the connection is closed; the next call says so

    def _take(self):
        kind = self._simple.check_msg()
        if kind is not None and kind & 0xF0 != 0x30:
            # Of something nobody waits for: umqtt leaves the rest of it to be read.
            self._simple.sock.read(self._simple._recv_len())  # noqa: SLF001 - there is no other way

    async def _watch(self, sock):
        now = ticks_ms()
        if self._asked is not None:
            if ticks_diff(sock.heard, self._asked) > 0:
                self._asked = None
            elif ticks_diff(now, self._asked) > _RESPONSE_MS:
                self._close()
        elif self.keepalive and ticks_diff(now, sock.heard) > self.keepalive * 500:
            await self.ping()

    def _on_message(self, topic, msg):
        sock = self._simple.sock
        if sock.too_long:
            sock.too_long = False
            self.dropped += 1
            return
        if self.callback:
            self.callback(topic.decode(), msg, False, False)
        self._came.set()


def _bytes(text):
    # umqtt counts characters where MQTT counts bytes.
    return text.encode() if isinstance(text, str) else text
