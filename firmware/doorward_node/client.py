# An MQTT 3.1.1 client with umqtt's names and arguments, as coroutines.
#
# What it adds to the link of every board: calls that return when the broker has answered, and
# QoS 2 both ways. No door loads it; a program of your own may.

import asyncio
from errno import ENOTCONN, ETIMEDOUT

from doorward_core import mqtt
from doorward_core.compat import const
from doorward_node.link import Link

# How long the broker may take to acknowledge a publish.
_ACK_MS = const(10000)


class MQTTException(OSError):
    # The broker refused; args[0] is the CONNACK or SUBACK code.
    pass


class MQTTClient(Link):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self._waiting = {}
        self._received = set()
        self._ended = asyncio.Event()
        self._accepted = asyncio.Event()

    async def connect(self, clean_session=True):
        # One attempt: whether the broker still had a session. Raises OSError, or MQTTException
        # if the broker refuses. Everything subscribed to before is subscribed to again.
        self._ended.clear()
        self._accepted.clear()
        asyncio.create_task(self._attend(clean_session))
        await self._accepted.wait()
        if not self.up:
            raise self.error or OSError(ENOTCONN)
        return self.session_present

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
        packet_id = self.send(topic, msg, retain, qos)
        if qos:
            await self._acknowledged(packet_id)

    async def subscribe(self, topic, qos=0):
        # Also on every later connection. Raises MQTTException if the broker refuses.
        self.subscribe_later(topic, qos)
        if self.up:
            packet_id = self._next_id()
            self._write(mqtt.subscribe(packet_id, [(topic, qos)]))
            codes = await self._acknowledged(packet_id)
            if codes[0] == mqtt.REFUSED:
                self._filters.remove((topic, qos))
                raise MQTTException(mqtt.REFUSED)

    async def ping(self):
        self.probe()

    async def _acknowledged(self, packet_id):
        # Waits for the broker's answer to this packet: SUBACK codes, or b"".
        waiting = self._waiting[packet_id] = [asyncio.Event(), None]
        try:
            await asyncio.wait_for_ms(waiting[0].wait(), _ACK_MS)
        except asyncio.TimeoutError:
            raise OSError(ETIMEDOUT)
        finally:
            self._waiting.pop(packet_id, None)
        if waiting[1] is None:
            raise OSError(ENOTCONN)
        return waiting[1]

    def _answered(self, packet_id, codes=b""):
        waiting = self._waiting.get(packet_id)
        if waiting:
            waiting[1] = codes
            waiting[0].set()

    # --- what the link does, and more ---

    def _close(self):
        super()._close()
        for waiting in self._waiting.values():
            waiting[0].set()
        self._waiting = {}
        self._ended.set()
        self._accepted.set()

    def _next_id(self):
        while super()._next_id() in self._waiting:
            pass
        return self._last_id

    def _on_connack(self, session_present, code):
        if code:
            raise MQTTException(code)
        if not session_present:
            self._received.clear()
        super()._on_connack(session_present, code)
        self._accepted.set()

    def _take(self, kind, flags, body):
        if not self.up or kind not in (
            mqtt.PUBACK,
            mqtt.PUBREC,
            mqtt.PUBREL,
            mqtt.PUBCOMP,
            mqtt.SUBACK,
        ):
            super()._take(kind, flags, body)
        elif kind == mqtt.SUBACK:
            packet_id, codes = mqtt.parse_suback(body)
            if packet_id not in self._waiting:
                super()._take(kind, flags, body)
            self._answered(packet_id, codes)
        elif kind == mqtt.PUBREC:
            self._write(mqtt.ack(mqtt.PUBREL, mqtt.parse_ack(body)))
        elif kind == mqtt.PUBREL:
            packet_id = mqtt.parse_ack(body)
            self._received.discard(packet_id)
            self._write(mqtt.ack(mqtt.PUBCOMP, packet_id))
        else:
            self._answered(mqtt.parse_ack(body))

    def _on_publish(self, flags, body):
        if not flags & 4:
            super()._on_publish(flags, body)
            return
        # QoS 2: delivered once, however often the broker sends it before it hears PUBREC.
        packet_id = self._inbox.passed_over if body is None else mqtt.parse_publish(flags, body)[1]
        if packet_id not in self._received:
            self._deliver(flags, body)
            self._received.add(packet_id)
        self._write(mqtt.ack(mqtt.PUBREC, packet_id))
