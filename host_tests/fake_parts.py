# Stand-ins for pins and for the clock, on both interpreters.


class Pin:
    # An output remembers its levels; an input shows what `level` says.
    IRQ_FALLING = 2

    def __init__(self, level=1):
        self.level = level
        self.levels = []
        self.handler = None

    def __call__(self, level=None):
        if level is None:
            return self.level
        self.level = level
        self.levels.append(level)
        return None

    def irq(self, handler, _trigger):
        self.handler = handler


class Clock:
    # Microseconds that a test moves.
    def __init__(self, now=0):
        self.now = now

    def __call__(self):
        return self.now
