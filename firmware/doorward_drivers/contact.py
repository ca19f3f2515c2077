# The door contact: a reed switch, closed while the door is. Its part is `on` while the door is open.

from doorward_drivers.debounce import Debounced, pin


def make(settings):
    # settings: pin; closed, the level read while the door is closed; and pull where it is not "up".
    return Debounced(pin(settings), 1 - settings["closed"])
