"""Ports for who cannot be given port 0."""

import contextlib
import random
import socket


def free_ports(count: int) -> int:
    """The first of so many ports in a row that are free, and that the kernel gives to no client meanwhile."""
    while True:
        first = random.randrange(20_000, 32_000, count)
        with contextlib.ExitStack() as stack:
            try:
                for number in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            except OSError:
                continue
            return first


def free_port_base() -> int:
    """A port that is free together with the three above it: what --port-base takes."""
    return free_ports(4)
