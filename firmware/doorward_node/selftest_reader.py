# What the card reader's chip says of itself. A part of selftest.py.

from doorward_core.compat import const
from doorward_drivers import ReaderError

_NOTHING = (0x00, 0xFF)
# PN532: ends its search; and its test of the antenna, with a threshold in the middle (UM0701-02, 7.2.1).
_ACK = b"\x00\x00\xff\x00\xff\x00"
_DIAGNOSE = const(0x00)
_ANTENNA = b"\x07\x20"


async def look(report, _parameters):
    data = {}

    async def ask(chip):
        data.update(chip.health())
        if data["chip"] == "pn532":
            await _antenna(chip, data)

    if not hasattr(report.app.reader, "reader"):
        return  # a keypad alone
    await report.between_polls(ask)
    if data["chip"] == "mfrc522" and data["version"] in _NOTHING:
        report.silent = data
    else:
        report.say("reader", data)


async def _antenna(chip, data):
    try:
        chip._bus.write(_ACK)  # noqa: SLF001 - what only this test asks need not stay in the driver
        data["antenna"] = (await chip._ask(_DIAGNOSE, _ANTENNA))[0]  # noqa: SLF001 - as above
        await chip.start()
        data["version"] = chip.version()
    except ReaderError:
        data["version"] = 0
