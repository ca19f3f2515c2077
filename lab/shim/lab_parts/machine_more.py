# machine_more.py  What few boards ask of machine; loaded on the first such question (see machine.__getattr__).
from time import sleep_ms

from lab_parts import link


def soft_reset():
    link.restart(5)


def freq(hz=None):
    return 160_000_000


def idle():
    link.poll()


def lightsleep(ms=0):
    sleep_ms(ms)


def disable_irq():
    return 0


def enable_irq(state):
    pass
