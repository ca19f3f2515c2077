# wiring.py  What is soldered to which pin of this board, and the commands of the lab that act on it.
from lab_parts import link

levels = {}  # input pin -> level that the world puts on it; absent = nothing is connected
inputs_changed = None  # function(pin, level), set by machine for Pin.irq
parts = {}  # output pin -> function(level) of a chip that listens there; absent = a lead that the lab watches
spi = {}  # SPI id -> chip


def connect(pins):
    # pins: the "pins" of /config.json.
    contact = pins.get("contact")
    if contact:
        levels[contact["pin"]] = contact["closed"]
    reader = pins.get("reader")
    if reader:
        _connect_reader(reader)
    link.handlers["pin"] = _pin


def _connect_reader(pins):
    from lab_parts.mfrc522 import MFRC522
    from lab_parts.picc import Card

    chip = MFRC522()
    spi[pins["spi"]] = chip
    parts[pins["cs"]] = chip.select
    if pins.get("rst") is not None:
        parts[pins["rst"]] = chip.hard_reset

    def card(words):
        # card UID SAK BCC_XOR: one more card in the field
        chip.field.cards.append(Card(bytes.fromhex(words[1].decode()), int(words[2]), int(words[3])))
        chip.fresh = True

    def no_card(words):
        chip.field.cards.clear()
        chip.fresh = False

    link.handlers["card"] = card
    link.handlers["nocard"] = no_card
    link.handlers["reader"] = lambda words: chip.fault(words[1])


def _pin(words):
    # pin N LEVEL: the world changes an input
    pin, level = int(words[1]), int(words[2])
    changed = levels.get(pin) != level
    levels[pin] = level
    if changed and inputs_changed:
        inputs_changed(pin, level)
