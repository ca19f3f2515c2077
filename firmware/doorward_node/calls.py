# What a client has said and the broker has to answer: see client.py. No door loads it.

import asyncio
from time import ticks_ms

from doorward_core import mqtt
from doorward_core.compat import ticks_diff


class Call:
    # packet: what is to be said, next or again. ends: the packet type that answers it.
    def __init__(self, packet_id, packet, ends):
        self.packet_id = packet_id
        self.packet = packet
        self.ends = ends
        self.since = None  # when it was said on this connection
        self.repeated = False
        self.done = asyncio.Event()
        self.answer = self.error = None

    def said(self, session_present):
        # The packet as it goes out now: a publish that the session may know is marked as a repetition.
        packet = self.packet
        if self.repeated and session_present and packet[0] >> 4 == mqtt.PUBLISH:
            packet = bytes((packet[0] | 8,)) + packet[1:]
        self.since = ticks_ms()
        self.repeated = True
        return packet

    def late(self, patience_ms):
        # Whether it was said on this connection, and has had no answer for so long.
        return self.since is not None and ticks_diff(ticks_ms(), self.since) >= patience_ms

    def finish(self, answer, error=None):
        self.answer = answer
        self.error = error
        self.done.set()
