# An MQTT 3.1.1 client with umqtt's names and arguments, as coroutines.
#
# What it adds to the link of every board: calls that return when the broker has answered, QoS 2
# both ways, and names. No door loads it; a program of your own may.
#
# connect() is one connection: when it ends, what waits for an answer raises OSError. run() is all
# of them: what waits goes on waiting, and is sent again as the standard says (4.4).

import asyncio
from errno import ECONNRESET, ENOTCONN, ETIMEDOUT

from doorward_core import mqtt
from doorward_core.compat import const
from doorward_node.calls import Call
from doorward_node.link import Link

__all__ = ("MQTTClient", "MQTTException")

# As the link's own back-off: see Link.run.
_MAX_PAUSE_MS = const(8000)
# QoS 2 messages that the broker may have begun and not finished.
_MAX_RECEIVED = const(64)


class MQTTException(OSError):
    # The broker refused; args[0] is the CONNACK or SUBACK code.
    pass


class MQTTClient(Link):
    # How long the broker may take to acknowledge what it was sent.
    ack_ms = 10000

    def __init__(self, client_id, server, port=0, user=None, password=None, keepalive=30, ssl=None):
        super().__init__(client_id, server, port, user, password, keepalive, ssl)
        self.session_present = False
        self._calls = []
        self._received = set()
        # QoS 2 packet identifiers that the broker may know, and nobody here waits for any more.
        self._owed = set()
        self._wanted = []
        self._new = []  # of them, what the broker's session may not have yet
        self._keeping = False
        self._ended = asyncio.Event()
        self._accepted = asyncio.Event()
        self._came = asyncio.Event()
        host = self._server[0]
        if not host.rsplit(".", 1)[-1].isdigit():
            from doorward_node.names import Names

            self.names = Names(host)

    def set_callback(self, callback):
        # callback(topic, msg, retained, dup); it runs in the reading task and must not wait.
        self.callback = callback

    def set_last_will(self, topic, msg, retain=False, qos=0):
        self.will = (topic, msg, retain, qos)

    async def connect(self, clean_session=True):
        # One attempt: whether the broker still had a session. Raises OSError, or MQTTException
        # if the broker refuses. Everything subscribed to before is subscribed to again, unless
        # the session still has it.
        self._ended.clear()
        self._accepted.clear()
        asyncio.create_task(self._attend(clean_session))
        await self._accepted.wait()
        if not self.up:
            self._pause = min(self._pause * 2, _MAX_PAUSE_MS)
            raise self.error or OSError(ENOTCONN)
        return self.session_present

    def run(self, on_up=None):
        # Awaitable: keeps the connection for ever, with a persistent session. on_up() runs at
        # every connect. What is published from here on waits for a connection.
        self._keeping = True
        return self._keep(on_up)

    async def _keep(self, on_up):
        try:
            await super().run(on_up)
        finally:
            self._keeping = False
            if self._task:
                self._task.cancel()

    async def disconnect(self):
        # Says goodbye, so that the broker drops the will.
        if self.up:
            self._write(mqtt.disconnect())
        if self._task and not self._task.done():
            self._ended.clear()
            self._task.cancel()
            await self._ended.wait()

    async def publish(self, topic, msg, retain=False, qos=0):
        # Returns when the broker has taken the message over (QoS 1, 2) or at once (QoS 0).
        if isinstance(msg, str):
            msg = msg.encode()
        if not qos:
            self.send(topic, msg, retain)
            return
        packet_id = self._next_id()
        packet = mqtt.publish(topic, msg, qos, retain, False, packet_id)
        await self._answered(packet_id, packet, mqtt.PUBCOMP if qos == 2 else mqtt.PUBACK)

    async def subscribe(self, topic, qos=0):
        # Also on every later connection. Raises MQTTException if the broker refuses.
        self.subscribe_later(topic, qos)
        if self.up:
            packet_id = self._next_id()
            asked = [(topic, qos)]
            codes = await self._answered(packet_id, mqtt.subscribe(packet_id, asked), mqtt.SUBACK)
            if codes and mqtt.REFUSED in codes:
                self._forget(topic)
                raise MQTTException(mqtt.REFUSED)
            self._granted(asked)

    async def unsubscribe(self, topic):
        self._forget(topic)
        packet_id = self._next_id()
        await self._answered(packet_id, mqtt.unsubscribe(packet_id, [topic]), mqtt.UNSUBACK)

    async def ping(self):
        # Asks for a sign of life; without one the connection ends in 4 s.
        self.probe()

    async def wait_msg(self):
        # Until a message has come; the callback has had it by then. Raises OSError without a
        # connection.
        if not self.up:
            raise OSError(ENOTCONN)
        self._came.clear()
        await self._came.wait()
        if not self.up:
            raise OSError(ENOTCONN)

    async def check_msg(self):
        # Messages need no asking for; this gives them their turn.
        await asyncio.sleep_ms(0)

    def subscribe_later(self, topic, qos=0):
        # From the next connection on; a refusal ends it.
        self._forget(topic)
        self._wanted.append((topic, qos))
        self._new.append((topic, qos))

    # --- what waits for an answer ---

    async def _answered(self, packet_id, packet, ends):
        # The broker's answer: SUBACK codes, or b"".
        if not self.up and not self._keeping:
            raise OSError(ENOTCONN)
        call = Call(packet_id, packet, ends)
        self._calls.append(call)
        try:
            if self.up:
                try:
                    self._say(call)
                except OSError:
                    if not self._keeping:
                        raise
            while not call.done.is_set():
                await self._wait(call)
        finally:
            self._calls.remove(call)
            if ends == mqtt.PUBCOMP and call.answer is None and call.repeated:
                self._owed.add(packet_id)
        if call.error:
            raise call.error
        return call.answer

    async def _wait(self, call):
        try:
            await asyncio.wait_for_ms(call.done.wait(), self.ack_ms)
        except asyncio.TimeoutError:
            if not self._keeping:
                raise OSError(ETIMEDOUT)
            if self.up and self._task and call.late(self.ack_ms):
                # Only a new connection may repeat it (4.4).
                self._task.cancel()

    def _say(self, call):
        self._write(call.said(self.session_present))

    def _say_again(self):
        # On a new connection: all that waits, in its order.
        for packet_id in self._owed:
            self._write(mqtt.ack(mqtt.PUBREL, packet_id))
        for call in self._calls:
            if call.ends == mqtt.PUBCOMP and call.repeated and not self.session_present:
                # The broker has forgotten whether it had it: once, or not at all?
                call.repeated = False
                call.finish(None, OSError(ECONNRESET))
            else:
                self._say(call)

    def _call(self, packet_id):
        for call in self._calls:
            if call.packet_id == packet_id and not call.done.is_set():
                return call
        return None

    # --- subscriptions ---

    def _forget(self, topic):
        self._wanted = [asked for asked in self._wanted if asked[0] != topic]
        self._new = [asked for asked in self._new if asked[0] != topic]

    def _granted(self, filters):
        self._new = [asked for asked in self._new if asked not in filters]

    # --- what the link does, and more ---

    def _close(self):
        super()._close()
        for call in self._calls:
            call.since = None
            if not self._keeping and not call.done.is_set():
                call.finish(None, OSError(ENOTCONN))
        self._ended.set()
        self._accepted.set()
        self._came.set()

    def _next_id(self):
        while self._call(super()._next_id()) or self._last_id in self._owed:
            pass
        return self._last_id

    def _on_connack(self, session_present, code):
        if code:
            raise MQTTException(code)
        if not session_present:
            self._received.clear()
            self._owed.clear()
        self.session_present = session_present
        self.filters = list(self._new if session_present else self._wanted)
        super()._on_connack(session_present, code)
        self._say_again()
        self._accepted.set()

    def _take(self, kind, flags, body):
        if not self.up or kind in (mqtt.CONNACK, mqtt.PUBLISH, mqtt.PINGRESP):
            super()._take(kind, flags, body)
        elif kind == mqtt.SUBACK:
            packet_id, codes = mqtt.parse_suback(body)
            call = self._call(packet_id)
            if call:
                call.finish(codes)
            else:
                super()._take(kind, flags, body)
                self._granted(self.filters)
        elif kind == mqtt.PUBREL:
            packet_id = mqtt.parse_ack(body)
            self._received.discard(packet_id)
            self._write(mqtt.ack(mqtt.PUBCOMP, packet_id))
        else:
            self._take_ack(kind, mqtt.parse_ack(body))

    def _take_ack(self, kind, packet_id):
        # Of something nobody waits for any more it is answered, and nothing else.
        call = self._call(packet_id)
        if kind == mqtt.PUBREC:
            released = mqtt.ack(mqtt.PUBREL, packet_id)
            if call and call.ends == mqtt.PUBCOMP:
                call.packet = released
            self._write(released)
            return
        if kind not in (mqtt.PUBACK, mqtt.PUBCOMP, mqtt.UNSUBACK):
            raise mqtt.MqttError("packet type " + str(kind))
        if kind == mqtt.PUBCOMP:
            self._owed.discard(packet_id)
        if call and call.ends == kind:
            call.finish(b"")

    def _on_publish(self, flags, body):
        if not flags & 4:
            super()._on_publish(flags, body)
            return
        # QoS 2: delivered once, however often the broker sends it before it hears PUBREC.
        packet_id = self._inbox.passed_over if body is None else mqtt.parse_publish(flags, body)[1]
        if packet_id not in self._received:
            if len(self._received) >= _MAX_RECEIVED:
                raise mqtt.MqttError("more QoS 2 messages than can be remembered")
            self._deliver(flags, body)
            self._received.add(packet_id)
        self._write(mqtt.ack(mqtt.PUBREC, packet_id))

    def _deliver(self, flags, body):
        packet_id = super()._deliver(flags, body)
        self._came.set()
        return packet_id
