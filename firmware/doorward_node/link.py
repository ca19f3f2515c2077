# The board's MQTT 3.1.1 client: umqtt's names and arguments, as coroutines.
#
# Differs from umqtt where a door needs it: one write per packet, packet identifiers that wrap,
# QoS 0, 1 and 2 both ways, a ping that is missed, and no call that blocks the reader. Nobody
# waits for a stream with a time limit (that loses bytes, micropython#17351): a watchdog cancels
# the whole connection instead. A publish that was not acknowledged when the connection broke
# raises; who needs it to arrive sends it again (the log does), so nothing is sent twice unasked.

import asyncio
from errno import ECONNRESET, ENOTCONN, ETIMEDOUT
from time import ticks_ms

from doorward_core import mqtt
from doorward_core.compat import const, ticks_diff, urandom
from doorward_node import transport
from doorward_node.inbox import Inbox

# How long the broker may take to answer a CONNECT or a ping, and to acknowledge a publish.
_RESPONSE_MS = const(4000)
_ACK_MS = const(10000)
# A broker that is down is asked again after 0.25 s, then ever more rarely, up to 8 s, and each
# board a little differently: 200 of them come back at once otherwise.
_BACK_OFF_MS = const(250)
_BACK_OFF_MAX_MS = const(8000)
# Bytes that may wait for a slow socket before the connection counts as dead.
_MAX_UNSENT = const(4096)


class MQTTException(OSError):
    # The broker refused; args[0] is the CONNACK or SUBACK code.
    pass


class MQTTClient:
    def __init__(self, client_id, server, port=0, user=None, password=None, keepalive=30, ssl=None):
        # ssl: None, or what wraps a connected transport.
        self._identity = (client_id, user, password)
        self._server = server
        self._port = port or (8883 if ssl else 1883)
        self._address = None
        self._keepalive = keepalive
        self._ssl = ssl
        self._callback = None
        self._will = None
        self._filters = []
        self._inbox = Inbox()
        self._transport = None
        self._task = None
        self._unsent = b""
        self._last_id = 0
        self._waiting = {}
        self._received = set()
        self._heard = self._spoke = 0
        self._asked = None
        self._ended = asyncio.Event()
        self.up = False
        self.session_present = False
        self.error = None

    def set_callback(self, callback):
        # callback(topic, msg, retained, dup); it runs in the reading task and must not wait.
        self._callback = callback

    def set_last_will(self, topic, msg, retain=False, qos=0):
        self._will = (topic, msg, retain, qos)

    async def connect(self, clean_session=True):
        # One attempt: whether the broker still had a session. Raises OSError, or MQTTException
        # if the broker refuses. Everything subscribed to before is subscribed to again.
        self._ended.clear()
        self._accepted = asyncio.Event()
        self.error = None
        self._heard = self._spoke = self._asked = ticks_ms()
        self._task = asyncio.create_task(self._converse(clean_session))
        asyncio.create_task(self._watch(self._task))
        await self._accepted.wait()
        if not self.up:
            raise self.error or OSError(ENOTCONN)
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
                await self._ended.wait()
            except OSError:
                pass
            if ticks_diff(ticks_ms(), started) > _BACK_OFF_MAX_MS:
                pause = _BACK_OFF_MS
            await asyncio.sleep_ms(pause // 2 + urandom(1)[0] * pause // 512)
            pause = min(pause * 2, _BACK_OFF_MAX_MS)

    async def disconnect(self):
        # Says goodbye, so that the broker drops the will.
        if self.up:
            self._write(mqtt.disconnect())
        if self._task:
            self._task.cancel()
            await self._ended.wait()

    def send(self, topic, msg, retain=False, qos=0):
        # Hands a publish to the socket at once and waits for nothing: its packet identifier.
        # Raises OSError when there is no connection.
        packet_id = self._next_id() if qos else 0
        self._write(mqtt.publish(topic, msg, qos, retain, False, packet_id))
        return packet_id

    async def publish(self, topic, msg, retain=False, qos=0):
        # Returns when the broker has taken the message over (QoS 1, 2) or at once (QoS 0).
        if isinstance(msg, str):
            msg = msg.encode()
        packet_id = self.send(topic, msg, retain, qos)
        if qos:
            await self._acknowledged(packet_id)

    def subscribe_later(self, topic, qos=0):
        # For every connection from the next one on.
        self._filters.append((topic, qos))

    async def subscribe(self, topic, qos=0):
        # Also on every later connection. Raises MQTTException if the broker refuses.
        self.subscribe_later(topic, qos)
        if self.up:
            codes = await self._acknowledged(self._subscribe([(topic, qos)]))
            if codes[0] == mqtt.REFUSED:
                raise MQTTException(mqtt.REFUSED)

    async def ping(self):
        self.probe()

    def probe(self):
        # Asks the broker for a sign of life; without one the connection ends in 4 s.
        if self.up and self._asked is None:
            self._asked = ticks_ms()
            self._write(mqtt.pingreq())

    # --- one connection ---

    async def _converse(self, clean_session):
        try:
            if not self._address:
                self._address = transport.resolve(self._server, self._port)
            opened = await transport.connect(self._address)  # type: ignore[misc]  # a generator is awaitable there
            self._transport = self._ssl(opened) if self._ssl else opened
            client_id, user, password = self._identity
            self._write(
                mqtt.connect(client_id, self._keepalive, clean_session, user, password, self._will)
            )
            while True:
                count = await self._transport.readinto(self._inbox.room())
                if not count:
                    raise OSError(ECONNRESET)
                self._heard = ticks_ms()
                if self.up:
                    self._asked = None
                self._inbox.received(count)
                packet = self._inbox.next()
                while packet:
                    self._take(*packet)
                    packet = self._inbox.next()
        except (OSError, mqtt.MqttError) as error:
            self.error = error if isinstance(error, OSError) else OSError(str(error))
        finally:
            self._close()

    def _close(self):
        if not self.up:
            self._address = None  # it may have moved
        self.up = False
        if self._transport:
            self._transport.close()
            self._transport = None
        self._inbox.clear()
        self._unsent = b""
        for waiting in self._waiting.values():
            waiting[0].set()
        self._waiting = {}
        self._ended.set()
        self._accepted.set()

    async def _watch(self, task):
        # Ends the connection when the broker owes an answer for too long, and asks for one when
        # it has been quiet. Also keeps the promise of the keep-alive: to say something in time.
        while not task.done():
            await asyncio.sleep_ms(250)
            now = ticks_ms()
            if self._asked is not None:
                if ticks_diff(now, self._asked) > _RESPONSE_MS:
                    self.error = OSError(ETIMEDOUT)
                    task.cancel()
            elif (
                max(ticks_diff(now, self._heard), ticks_diff(now, self._spoke))
                > self._keepalive * 500
            ):
                self.probe()

    # --- writing ---

    def _write(self, packet):
        # One packet, one write: a second small one would wait for the first one's ACK.
        if not self._transport:
            raise OSError(ENOTCONN)
        self._spoke = ticks_ms()
        if self._unsent:
            if len(self._unsent) + len(packet) > _MAX_UNSENT:
                if self._task:
                    self._task.cancel()
                raise OSError(ETIMEDOUT)
            self._unsent += packet
            return
        taken = self._transport.write(packet)
        if taken < len(packet):
            self._unsent = packet[taken:]
            asyncio.create_task(self._drain(self._transport))

    async def _drain(self, opened):
        while self._unsent and opened is self._transport:
            await opened.writable()
            if opened is self._transport:
                try:
                    self._unsent = self._unsent[opened.write(self._unsent) :]
                except OSError:
                    return  # the reading task sees the same and ends the connection

    def _next_id(self):
        while True:
            self._last_id = self._last_id % 65535 + 1
            if self._last_id not in self._waiting:
                return self._last_id

    def _subscribe(self, filters):
        packet_id = self._next_id()
        self._write(mqtt.subscribe(packet_id, filters))
        return packet_id

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

    # --- reading ---

    def _take(self, kind, flags, body):
        if kind == mqtt.CONNACK and not self.up:
            self._on_connack(body)
        elif not self.up:
            raise mqtt.MqttError("packet before CONNACK")
        elif kind == mqtt.PUBLISH:
            self._on_publish(flags, body)
        elif kind == mqtt.PUBREC:
            self._write(mqtt.ack(mqtt.PUBREL, mqtt.parse_ack(body)))
        elif kind == mqtt.PUBREL:
            packet_id = mqtt.parse_ack(body)
            self._received.discard(packet_id)
            self._write(mqtt.ack(mqtt.PUBCOMP, packet_id))
        elif kind in (mqtt.PUBACK, mqtt.PUBCOMP):
            self._answered(mqtt.parse_ack(body), b"")
        elif kind == mqtt.SUBACK:
            self._answered(*mqtt.parse_suback(body))
        elif kind != mqtt.PINGRESP:
            raise mqtt.MqttError("packet type " + str(kind) + " from a broker")

    def _on_connack(self, body):
        self.session_present, code = mqtt.parse_connack(body)
        if code:
            raise MQTTException(code)
        if not self.session_present:
            self._received.clear()
        self.up = True
        self._asked = None
        if self._filters:
            self._subscribe(self._filters)
        self._accepted.set()

    def _on_publish(self, flags, body):
        if body is None:
            packet_id = self._inbox.passed_over
        else:
            topic, packet_id, payload = mqtt.parse_publish(flags, body)
            if packet_id not in self._received and self._callback:
                self._callback(topic, payload, bool(flags & 1), bool(flags & 8))
        if flags & 6 == 2:
            self._write(mqtt.ack(mqtt.PUBACK, packet_id))
        elif flags & 6 == 4:
            self._received.add(packet_id)
            self._write(mqtt.ack(mqtt.PUBREC, packet_id))

    def _answered(self, packet_id, codes):
        waiting = self._waiting.get(packet_id)
        if waiting:
            waiting[1] = codes
            waiting[0].set()
