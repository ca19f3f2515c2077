# lab_flash.py  Puts a folder onto a flash image as a flash tool would: format when new, copy what differs.
#
# Arguments: image, folder. Code and certificates on the image that the folder lacks are removed; data files stay.
# So does the key that the board was given since it was adopted: nobody else has it.
import json
import os
import sys

import vfs

from lab_parts.flash import FileFlash

_DIRECTORY = 0x4000


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _with_own_key(new, old):
    # The config.json to write: the board's own key is the newer one of the same adoption (its secret tells which).
    try:
        config, held = json.loads(new), json.loads(old)
        if config["secret"] == held["secret"] and held["key_epoch"] > config["key_epoch"]:
            for name in ("key", "key_epoch", "former_key"):
                config[name] = held[name]
            return json.dumps(config).encode()
    except (TypeError, ValueError, KeyError):
        pass  # none there yet, or not one of a door board
    return new


def _copy(source, target):
    wanted = set()
    for entry in os.ilistdir(source):
        name = entry[0]
        wanted.add(name)
        if entry[1] == _DIRECTORY:
            try:
                os.mkdir(target + "/" + name)
            except OSError:
                pass  # it is there
            _copy(source + "/" + name, target + "/" + name)
        else:
            data, held = _read(source + "/" + name), _read(target + "/" + name)
            if name == "config.json":
                data = _with_own_key(data, held)
            if data != held:
                with open(target + "/" + name, "wb") as file:
                    file.write(data)
    _drop_stale(target, wanted)


def _drop_stale(folder, wanted):
    for entry in list(os.ilistdir(folder)):
        path = folder + "/" + entry[0]
        if entry[1] == _DIRECTORY:
            if entry[0] not in wanted:
                _drop_stale(path, ())
        elif entry[0] not in wanted and path.endswith((".py", ".mpy", ".der", "/manifest.json")):
            os.remove(path)


def _main(image, folder):
    flash = FileFlash(image)
    try:
        disk = vfs.VfsLfs2(flash)  # pyright: ignore[reportArgumentType]
    except OSError:
        vfs.VfsLfs2.mkfs(flash)  # pyright: ignore[reportArgumentType]
        disk = vfs.VfsLfs2(flash)  # pyright: ignore[reportArgumentType]
    vfs.mount(disk, "/image")
    _copy(folder, "/image")
    stat = os.statvfs("/image")
    print("used", (stat[2] - stat[3]) * stat[0])
    vfs.umount("/image")


_main(*sys.argv[1:])
