# What became of an update, for the log: loaded when a board starts after one, and by its trial.
#
# /update has five words: order, version, size and digest of the manifest, and how far it is: "-" on
# its way, the letter of the slot that it is tried in, "." over.

import machine
from doorward_node import files


def note(directory: str = "") -> None:
    # A trial has begun: the power may have gone before the one who switched could write that down.
    words = _words(directory + "/update")
    slot = _words(directory + "/slot")
    if len(words) == 5 and words[4] == "-" and len(slot) == 5:
        files.replace(directory + "/update", " ".join(words[:4] + slot[:1]).encode())


def tell(journal, directory: str = "", reason: str = "") -> None:
    # Once the trial is over: notes for the log how it ended. reason: why the board started again.
    words = _words(directory + "/update")
    slot = _words(directory + "/slot")
    if len(words) != 5 or len(slot) != 2:
        return
    data: "dict[str, object]" = {"order": int(words[0]), "version": words[1]}
    if slot[0] == words[4]:
        data["state"] = "confirmed"
    else:
        if not reason and machine.reset_cause() == machine.WDT_RESET:
            reason = "it hung"
        data["state"] = "rolled back"
        data["reason"] = reason or "it stopped without a word"
    journal.add("update", data)
    journal.flush()
    files.replace(directory + "/update", " ".join(words[:4] + ["."]).encode())


def _words(path):
    return (files.read(path) or b"").decode().split()
