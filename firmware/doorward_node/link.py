# The board's connection to its broker: MQTT 3.1.1, QoS 0 and 1, kept for ever.
#
# What a door needs and no more; doorward_node.client adds the rest of umqtt's calls. One write per
# packet, packet identifiers that wrap, a ping that is missed, and no call that blocks the reader.
# Nobody waits for a stream with a time limit (that loses bytes, micropython#17351): the
# whole connection is cancelled instead. What was not acknowledged when it broke is sent again by
# who needs it to arrive (the log does), so nothing is sent twice unasked.

import asyncio
from errno import ECONNRESET, ENOTCONN, ETIMEDOUT
from time import ticks_ms

from doorward_core import mqtt_packets as mqtt
from doorward_core.compat import const, ticks_diff, urandom
from doorward_node import flight, transport
from doorward_node.inbox import Inbox

# How long the broker may take to answer a CONNECT or a ping, and how often that is looked at.
_RESPONSE_MS = const(4000)
# Also to finish a handshake: it is work for both sides, and hundreds of boards come at once.
_HANDSHAKE_MS = const(15000)
_LOOK_MS = const(250)
# A broker that is down is asked again after 0.25 s, then ever more rarely, up to 8 s, and each
# board a little differently: 200 of them come back at once otherwise.
_BACK_OFF_MS = const(250)
_BACK_OFF_MAX_MS = const(8000)
# Bytes that may wait for a slow socket before the connection counts as dead.
_MAX_UNSENT = const(4096)

# flight.py has its codes.
_DOWN = const(6)
_UP = const(7)

# Packet types: doorward_core.mqtt has them all.
_CONNACK = const(2)
_PUBLISH = const(3)
_PUBACK = const(4)
_SUBACK = const(9)
_PINGRESP = const(13)


class Link:
    def __init__(
        self,
        client_id,
        server,
        port=0,
        user=None,
        password=None,
        keepalive=30,
        ssl=None,
        names=None,
    ):
        # ssl: None, or a tls_transport.Tls; names: None, or a names.Names. To be set before run():
        # callback(topic, msg, retained, dup) runs in the reading task and must not wait; will:
        # (topic, msg, retain, qos); filters: [(topic filter, qos)], asked for at every connect.
        self._identity = (client_id, user, password)
        self._server = (server, port or (8883 if ssl else 1883))
        self.names = names
        self._pause = _BACK_OFF_MS
        self.keepalive = keepalive
        self._ssl = ssl
        self.callback = self.on_up = self.will = None
        self.filters = []
        self._inbox = Inbox()
        self._transport = self._task = None
        self._unsent = b""
        self._last_id = 0
        self._heard = self._spoke = 0
        self._asked = None
        self.up = False
        self.error = None
        self.dropped = 0  # messages that were too long
        self.alive = ticks_ms()  # of the last step: the supervisor looks at it

    async def run(self, on_up=None):
        # Keeps the connection for ever, with a persistent session. on_up() runs at every connect.
        self.on_up = on_up
        del on_up  # a claim's: this frame would keep it for ever
        told = ""
        while True:
            await self._attend(False)
            # For who looks at the serial port, once: the same again every few seconds says no more.
            if str(self.error) != told:
                told = str(self.error)
                print("doorward: broker:", told)
            await asyncio.sleep_ms(self._pause // 2 + urandom(1)[0] * self._pause // 512)
            self._pause = min(self._pause * 2, _BACK_OFF_MAX_MS)

    def send(self, topic, msg, retain=False, qos=0):
        # Hands a publish to the socket at once and waits for nothing: its packet identifier.
        # Raises OSError when there is no connection: before the CONNACK there is none yet.
        if not self.up:
            raise OSError(ENOTCONN)
        packet_id = self._next_id() if qos else 0
        self._write(mqtt.publish(topic, msg, qos, retain, False, packet_id))
        return packet_id

    def probe(self):
        # Asks the broker for a sign of life; without one the connection ends in 4 s.
        if self.up and self._asked is None:
            self._asked = ticks_ms()
            self._write(mqtt.pingreq())

    # --- one connection ---

    async def _attend(self, clean_session):
        # One connection from its beginning to its end. Ends it when the broker owes an answer for
        # too long, and asks for one when it has been quiet. Also keeps the promise of the
        # keep-alive: to say something in time.
        self.error = None
        began = self._heard = self._spoke = self._asked = ticks_ms()
        task = self._task = asyncio.create_task(self._converse(clean_session))
        while not task.done():
            await asyncio.sleep_ms(_LOOK_MS)
            now = self.alive = ticks_ms()
            # Not from how long it lasted when it is over: ticks wrap.
            if self.up and ticks_diff(now, began) > _BACK_OFF_MAX_MS:
                self._pause = _BACK_OFF_MS
            if self._asked is not None:
                patience = _HANDSHAKE_MS if self._ssl and not self.up else _RESPONSE_MS
                if ticks_diff(now, self._asked) > patience:
                    self.error = OSError(ETIMEDOUT)
                    task.cancel()
            elif (
                max(ticks_diff(now, self._heard), ticks_diff(now, self._spoke))
                > self.keepalive * 500
            ):
                try:
                    self.probe()
                except OSError:
                    pass  # the reading task sees the same and ends the connection

    async def _converse(self, clean_session):
        try:
            host, port = self._server
            if self.names:
                host = await self.names.address(self._pause > _BACK_OFF_MS * 4)
            opened = self._transport = await transport.connect(host, port)  # type: ignore[misc]  # a generator is awaitable there
            client_id, user, password = self._identity
            packet = mqtt.connect(
                client_id, self.keepalive, clean_session, user, password, self.will
            )
            if self._ssl:
                opened = self._transport = self._ssl(opened)
                await opened.begin(packet)
            else:
                self._write(packet)
            del opened, packet  # they are heap, too
            while True:
                count = await self._transport.readinto(self._inbox.room())
                if not count:
                    raise OSError(ECONNRESET)
                self._heard = ticks_ms()
                if self.up:
                    self._asked = None
                self._inbox.used += count
                packet = self._inbox.next()
                while packet:
                    self._take(*packet)
                    packet = self._inbox.next()
        except (OSError, mqtt.MqttError) as error:
            self.error = error if isinstance(error, OSError) else OSError(str(error))
        finally:
            self._close()

    def _close(self):
        self.up = False
        flight.note(_DOWN, (self.error and self.error.errno) or 0)
        if self._transport:
            self._transport.close()
            self._transport = None
        self._inbox.clear()
        self._unsent = b""

    # --- writing ---

    def _write(self, packet):
        # One packet, one write: a second small one would wait for the first one's ACK.
        if not self._transport:
            raise OSError(ENOTCONN)
        self._spoke = ticks_ms()
        if self._unsent:
            if len(self._unsent) + len(packet) > _MAX_UNSENT:
                # The reading task cannot cancel itself: there the error ends the connection.
                if self._task and self._task is not asyncio.current_task():
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
        self._last_id = self._last_id % 65535 + 1
        return self._last_id

    # --- reading ---

    def _take(self, kind, flags, body):
        if not self.up:
            if kind != _CONNACK:
                raise mqtt.MqttError("packet before CONNACK")
            self._on_connack(*mqtt.parse_connack(body))
        elif kind == _PUBLISH:
            self._on_publish(flags, body)
        elif kind == _SUBACK and 128 in body[2:]:
            raise mqtt.MqttError("subscription refused")
        elif kind not in (_PUBACK, _SUBACK, _PINGRESP):
            raise mqtt.MqttError("packet type " + str(kind))

    def _on_connack(self, session_present, code):
        if code:
            raise OSError(code)
        self.up = True
        flight.note(_UP)
        self._asked = None
        if self.filters:
            self._write(mqtt.subscribe(self._next_id(), self.filters))
        if self.on_up:
            self.on_up()

    def _on_publish(self, flags, body):
        if flags & 4:
            raise mqtt.MqttError("QoS 2 that nobody asked for")
        packet_id = self._deliver(flags, body)
        if packet_id:
            self._write(mqtt.ack(_PUBACK, packet_id))

    def _deliver(self, flags, body):
        # Hands the message over, unless it was too long to be read: its packet identifier.
        if body is None:
            self.dropped += 1
            return self._inbox.passed_over
        topic, packet_id, payload = mqtt.parse_publish(flags, body)
        if self.callback:
            self.callback(topic, payload, bool(flags & 1), bool(flags & 8))
        return packet_id
