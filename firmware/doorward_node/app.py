# A board at work: what goes from reader, door, log and link to each other, and when each has its
# turn. assembly.py has put them together; a board without a door has doorless.py in its place.
#
# Three loops. The reader's polls the field. The door's, every 25 ms, moves whatever depends on
# time and touches neither flash nor network. The background's writes, uploads and reports, and
# stands aside while somebody waits at the door.

import asyncio
import gc
from time import ticks_ms

from doorward_core import board_messages, topics
from doorward_core.compat import const, ticks_diff
from doorward_core.messages import MessageError
from doorward_core.seal import SealError
from doorward_node import VERSION, errands, flight, forget
from doorward_node.commands import Commands
from doorward_node.session import Nonce

_DOOR_MS = const(25)
_BACKGROUND_MS = const(50)
# Seconds of uptime, for ticks wrap while a link is down.
_HEARTBEAT_S = const(30)
_TIME_S = const(3600)
_TIME_RETRY_S = const(10)
_RESEND_S = const(10)
# A clock that has told the same time for so long is not wrong by years (dates.py).
_STEADY_S = const(86400)
# Stalls of this length go to the flight recorder, whose words these are.
_STALL_MS = const(250)
_STALLED = const(4)
_HEARD = const(10)
_COLLECTED = const(11)
# Below this much free heap, rubbish is collected while nobody is waiting for it.
_COLLECT_BELOW = const(12288)


class App:
    # prefix: of every topic of this board.
    def __init__(self, prefix, session, clock, journal, credentials, doorway, taps, now):
        self.prefix = prefix
        self.session = session
        self.clock = clock
        self.journal = journal
        self.credentials = credentials
        self.doorway = doorway
        self.taps = taps
        self.commands = Commands(doorway)
        self._time = Nonce()
        self._time_due = self._heartbeat_due = self._resend_due = 0
        # The ticks of the last turn of the door's loop and of the background's.
        self.alive = self.turned = now
        # What the supervisor wants to hear of: (name, who, attribute with the tick of the last
        # report, after how many ms without one it is silent).
        self.watched = ()
        self.date = None  # the file of the date that certificates are judged by, with TLS
        self._restart = self._guarded = False
        self.stall = 0
        # What has a tick(now) of the door's loop; and of it what is part of this board's state:
        # changed, report(fields), and a turn(now, uptime) of the background's loop.
        self.parts = self.states = ()
        self.keypad = self.battery = None
        # What came on commands/firmware and was not looked at yet; an update.Update at work.
        self.firmware = self.update = None

    def attach(self, reader, link, wifi):
        # What calls back. wifi: None where something else brings the network.
        self.reader = reader
        self.link = link
        self.wifi = wifi

    def loops(self):
        # Everything that has to run at the same time.
        loops = [
            self.reader.run(),
            self._run_door(),
            self._run_background(),
            self.link.run(self._on_up),
        ]
        if self.wifi:
            loops.append(self.wifi.run())
        if self.keypad and self.keypad is not self.reader:
            loops.append(self.keypad.run())
        return loops

    # --- the way of a tap ---

    def on_card(self, uid):
        request = self.taps.begin(uid, ticks_ms(), self.link.up)
        if request and not self._send(topics.ACCESS_REQUEST, request):
            self.taps.tick(ticks_ms(), False)

    def on_message(self, topic, payload, retained, _dup):
        now = ticks_ms()
        suffix = topic[len(self.prefix) :]
        try:
            if retained and suffix != topics.CONFIG:
                raise SealError("retained")
            if payload:
                self._handle(suffix, payload, now)
        except SealError as error:
            self.session.refuse(error.reason)
        except MessageError as error:
            self.session.refuse("field " + error.field)

    def _handle(self, suffix, payload, now):
        kind, value, body = self.session.open(suffix, payload)
        flight.note(_HEARD, suffix)
        if suffix == topics.ACCESS_RESPONSE:
            if not self.taps.answer(value, body, now):
                raise SealError("late")
        elif suffix == topics.CONTROL:
            self.say(topics.COMMANDS_ACK, self.commands.handle(kind, value, body, now))
        elif suffix == topics.EVENTS_ACK:
            self.journal.acknowledged(*board_messages.parse_events_ack(body))
        elif suffix == topics.REKEY:
            errands.rekey(self, value, body, now)
        elif suffix == topics.CACHE:
            self.credentials.take(value, body)
        elif suffix == topics.FIRMWARE:
            self.firmware = value, body
        elif suffix == topics.CONFIG:
            self.credentials.configure(value, body, payload)
        elif suffix == topics.TIME_RESPONSE:
            self._on_time(value, body, now)

    def restart(self):
        # As soon as nobody is at the door.
        self._restart = True

    def wants_restart(self):
        # True when a new key or firmware is to come in force, and nobody is at the door.
        return self._restart and self.doorway.locked() and not self.taps.pending()

    def _on_time(self, nonce, body, now):
        round_trip = self._time.age(now)
        if not self._time.take(nonce, now):
            raise SealError("late")
        if self.clock.set(board_messages.parse_time_answer(body), round_trip, now):
            self._time_due = self.clock.uptime(now) + _TIME_S
            if self.date and self.clock.steady() >= _STEADY_S:
                from doorward_node import dates

                dates.keep(self.date, self.clock.utc(now))
                forget("dates")

    # --- the loops ---

    async def _run_door(self):
        last = ticks_ms()
        while True:
            await asyncio.sleep_ms(_DOOR_MS)
            now = self.alive = ticks_ms()
            late = ticks_diff(now, last) - _DOOR_MS
            self.stall = max(self.stall, late)
            if late > _STALL_MS:
                flight.note(_STALLED, late)
            self.doorway.tick(now)
            self.taps.tick(now, self.link.up)
            self.commands.expire(now)
            self._time.expire(now)
            for part in self.parts:
                part.tick(now)
            last = now

    async def _run_background(self):
        while True:
            await asyncio.sleep_ms(_BACKGROUND_MS)
            now = self.turned = ticks_ms()
            if self.taps.pending():
                continue
            uptime = self.clock.uptime(now)
            refused = self.session.refusals(uptime)
            if refused:
                self.journal.add("rejected", {"reasons": refused})
            self.journal.flush()
            if self.credentials.store():
                self.doorway.apply(self.credentials.config)
                self.doorway.changed = True
            for state in self.states:
                state.turn(now, uptime)
                self.doorway.changed = self.doorway.changed or state.changed
            if self.firmware or self.update:
                errands.update(self, uptime)
            if gc.mem_free() < _COLLECT_BELOW:
                gc.collect()
                flight.note(_COLLECTED, gc.mem_free() >> 10)
            flight.lived(uptime)
            if self.link.up:
                self._talk(now, uptime)

    def _talk(self, now, uptime):
        # What is due to be said. Nothing here waits for an answer.
        if self.journal.renewed:
            self._on_up()
        event = self.journal.upload()
        if event:
            self._send(topics.EVENTS, event)
            self._resend_due = uptime + _RESEND_S
        elif self.journal.waiting() and uptime >= self._resend_due:
            self.journal.rewind()
        wanted = self.credentials.want(uptime)
        if wanted:
            self.say(topics.COMMANDS_ACK, wanted)
        if uptime >= self._time_due:
            self._time_due = uptime + _TIME_RETRY_S
            request = board_messages.time_request(self.session.keys.device)
            self._send(
                topics.TIME_REQUEST,
                self.session.call(topics.TIME_REQUEST, self._time.open(now), request),
            )
        if self.doorway.changed or self._guarded != self.taps.gate.guarded:
            self._report()
        if self.commands.testing:
            errands.test(self)
        if self.commands.status_wanted or uptime >= self._heartbeat_due:
            self.commands.status_wanted = False
            self._heartbeat_due = uptime + _HEARTBEAT_S
            self._heartbeat(now)

    # --- saying ---

    def _on_up(self):
        now = ticks_ms()
        uptime = self.clock.uptime(now)
        self._resend_due = uptime + _RESEND_S
        place = self.journal.greet()  # before the newest number: it may be another one then
        store = self.journal.store
        hello = board_messages.hello(
            self.session.keys.device,
            VERSION,
            store.epoch,
            store.seq,
            self.credentials.version(),
            uptime * 1000,
            self.session.newest(),
            place,
        )
        self.say(topics.ONLINE, hello, True)
        self._send(topics.OFFLINE, b"", True)
        self._time_due = 0
        self.doorway.changed = True

    def _report(self):
        self.doorway.changed = False
        self._guarded = self.taps.gate.guarded
        lock, contact, alarm = self.doorway.report()
        version = self.credentials.version()
        more: "dict[str, object]" = {"guarded": True} if self._guarded else {}
        self._add_states(more)
        self.say(
            topics.REPORTED,
            board_messages.reported(lock, contact, alarm, version, VERSION, more),
            True,
        )

    def _add_states(self, fields):
        for state in self.states:
            state.changed = False
            state.report(fields)

    def answer(self, command_id, result):
        self.say(topics.COMMANDS_ACK, board_messages.command_result(command_id, result))

    def _heartbeat(self, now):
        gc.collect()
        figures: "dict[str, object]" = {
            "heap_used": gc.mem_alloc(),
            "heap_free": gc.mem_free(),
            "longest_stall_ms": self.stall,
            "reader_resets": self.reader.resets,
            "refused": self.session.refused,
            "too_long": self.link.dropped,
        }
        if self.battery:
            figures["battery_mv"] = self.battery.mv()
        stamp = self.clock.stamp(now)[0]
        body = board_messages.heartbeat(
            self.clock.uptime(now) * 1000,
            self.wifi.signal() if self.wifi else None,
            stamp,
            figures,
        )
        self._send(topics.HEARTBEAT, self.session.say(topics.HEARTBEAT, body), False, 0)

    def say(self, suffix, body, retain=False):
        self._send(suffix, self.session.say(suffix, body), retain)

    def _send(self, suffix, payload, retain=False, qos=1):
        # Without waiting: False if the link would not take it.
        try:
            self.link.send(self.prefix + suffix, payload, retain, qos)
            return True
        except OSError:
            return False

    def on_reset(self, count):
        self.journal.add("reader.reset", {"count": count})
