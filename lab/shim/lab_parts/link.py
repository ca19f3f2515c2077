# link.py  The wire to the lab: short ASCII lines over an inherited stream socket.
#
# Board -> lab:  edge PIN LEVEL SEEN_US | seen US | wdt MS | fed | reset CAUSE | up USED TOTAL
#                heap USED FREE READS PROGRAMS ERASES | module NAME | modules | pwm PIN HZ DUTY_U16 | pn532 FRAME | cut
#                keys
# Lab -> board:  card UID SAK BCC_XOR | nocard | reader FAULT | pin N LEVEL | heap | modules | keys N … | wiegand BITS
#                jam 0/1 | pn532 FRAME | cut OPERATIONS TORN | wifi CODE SSID KEY | stall ERASE_MS
#
# The socket is non-blocking and polled wherever firmware touches the chip (an input pin, an RF exchange, the watchdog,
# the network), so nothing here needs the firmware's help; one poll is one read(2) and allocates nothing.
# A board has exactly one wire, therefore this module is the object.
from time import sleep_ms

handlers = {}  # first word of a line -> function(all its words, as bytes)
_buffer = bytearray(64)
_pending = b""
in_handler = False  # an interrupt handler runs now
_seen_us = 0  # start of the reader poll that saw a new card, until a line has carried it


def open_fd(fd):
    # fd: a connected stream socket with O_NONBLOCK set.
    global _file
    _file = open(fd, "r+b")  # noqa: SIM115 - as long as the chip has power


def send(line):
    # Write one line whole. A full socket means a lab that is stopped: wait, nothing may be dropped.
    data = line + b"\n"
    while data:
        done = _file.write(data)
        if done is None:
            sleep_ms(1)
        else:
            data = data[done:]


def poll():
    # Run every command that has arrived. The end of the stream is the end of the lab and of us.
    global _pending
    if in_handler:
        return  # a handler is not interrupted by the next one
    while True:
        count = _file.readinto(_buffer)
        if count is None:
            return
        if not count:
            halt()
        lines = (_pending + _buffer[:count]).split(b"\n")
        _pending = lines.pop()
        for line in lines:
            words = line.split()
            try:
                handlers[words[0]](words)
            except Exception as error:  # noqa: BLE001 - ours, and none of the firmware's business
                print("lab:", line, repr(error))


def restart(cause):
    # End this life of the board; the next one is told the cause.
    saw_card(0)
    send(b"reset %d" % cause)
    halt()


def halt():
    # Never return, whatever the firmware catches: a chip that resets does not finish its sentence.
    # The lab ends this process; without a lab the kernel does (PR_SET_PDEATHSIG).
    while True:
        try:
            sleep_ms(1000)
        except KeyboardInterrupt:
            pass


def saw_card(us):
    # Note when the poll that saw a new card began, or with 0 that the reader sees none. It leaves
    # with the next edge, so that it costs a tap no write of its own.
    global _seen_us
    if _seen_us:
        send(b"seen %d" % _seen_us)
    _seen_us = us


def edge(pin, level):
    # level: 0, 1, or -1 when the pin stops driving.
    global _seen_us
    send(b"edge %d %d %d" % (pin, level, _seen_us))
    _seen_us = 0
