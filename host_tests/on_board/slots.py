# A board's flash in RAM with slots on it, and what its loader makes of them: for tests and for
# bench/powercut.py, which cut the power at any operation.

import binascii
import gc
import hashlib
import json
import os
import sys

import vfs
from nor import Nor

import machine
from doorward_node import install

BLOCKS = 48
ROOT = "/cut"
FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


class Cut(Exception):
    pass


def manifest(version, files, epoch=0, **other):
    # As gateway/doorward/firmware/manifest.py makes it. files: content by path.
    head = {"version": version, "epoch": epoch, "family": "esp32", "mpy": 6}
    head["size"] = sum([len(content) for content in files.values()])
    head.update(other)
    rows = []
    for path in sorted(files):
        digest = binascii.hexlify(hashlib.sha256(files[path]).digest()).decode()
        rows.append(json.dumps([path, len(files[path]), digest], separators=(",", ":")))
    text = json.dumps(head, separators=(",", ":"))[:-1] + ',"files":[\n'
    return (text + ",\n".join(rows) + "\n]}\n").encode()


def firmware(version, pieces=6):
    # Some files, of which the first half is the same in every version.
    files = {"doorward_core/__init__.mpy": b"core"}
    for number in range(pieces):
        body = b"%d of %s\n" % (number, b"any" if number < pieces // 2 else version.encode())
        files["doorward_node/part%d.mpy" % number] = body * (60 + 40 * number)
    files["doorward_node/roles/door.mpy"] = b"a door of " + version.encode()
    return files


class Board:
    # Runs `version` from slot a, unless it is empty.
    def __init__(self, version=None, root=ROOT):
        self.root = root
        self.flash = Nor(BLOCKS)
        self.orders = 0
        vfs.VfsLfs2.mkfs(self.flash)
        self.boot()
        if version:
            self.order(version)
            self.update({version: firmware(version)})
            self.boot()

    def boot(self):
        # Power comes back: the same cells, and nothing else of before.
        self.flash = self.flash.again()
        try:
            vfs.umount(self.root)
        except OSError:
            pass  # the first time
        vfs.mount(vfs.VfsLfs2(self.flash), self.root)

    def order(self, version, **other):
        self.write("/update.json", manifest(version, firmware(version), **other))

    def write(self, path, data):
        with open(self.root + path, "wb") as file:
            file.write(data)

    def update(self, offered):
        # All of an update but the restart, as long as there is power. offered: files by version.
        try:
            at_work = install.Install(self.root)
            files = offered[at_work.version]
            while not at_work.step():
                if at_work.wanted:
                    path, offset = at_work.wanted
                    at_work.take(path, offset, files[path][offset : offset + 384])
            at_work.switch()
        except OSError:
            if not self.flash.dead:
                raise
        if self.flash.dead:
            raise Cut  # closing a file may have hidden it

    def start(self):
        # What main.py does: (version that would run, whether on trial). Raises AssertionError for
        # half a firmware.
        ran = []
        with open(FOLDER + "/../../firmware/main.py") as file:
            source = file.read().replace('"/', '"' + self.root + "/")
        kept = sys.path[:], machine.WDT, machine.reset, sys.modules.get("doorward_node.supervisor")
        threshold = gc.threshold()
        sys.modules["doorward_node.supervisor"] = Supervisor(ran)
        machine.WDT = machine.reset = lambda timeout=0: ran.append("watchdog or reset")
        try:
            exec(source, {"__name__": "__main__"})
            folder = sys.path[0]
        finally:
            gc.threshold(threshold)
            sys.path[:], machine.WDT, machine.reset, supervisor = kept
            del sys.modules["doorward_node.supervisor"]
            if supervisor:
                sys.modules["doorward_node.supervisor"] = supervisor
        on_trial = True in ran
        assert on_trial == ("watchdog or reset" in ran), ran
        return self.whole(folder), on_trial

    def whole(self, folder):
        # The version of a slot in which every file is the manifest's, and no other is there.
        with open(folder + "/manifest.json") as file:
            said = json.load(file)
        named = {path: digest for path, _, digest in said["files"]}
        named["manifest.json"] = None
        found = list(tree(folder, ""))
        assert sorted(found) == sorted(named), (found, said["version"])
        for path in found:
            with open(folder + "/" + path, "rb") as file:
                digest = binascii.hexlify(hashlib.sha256(file.read()).digest()).decode()
            assert named[path] in (None, digest), path
        return said["version"]

    def confirm(self):
        with open(self.root + "/slot") as file:
            words = file.read().split()
        self.write("/slot", " ".join(words[:2]).encode())


class Supervisor:
    def __init__(self, ran):
        self.main = ran.append


def tree(folder, inside):
    for entry in os.ilistdir(folder + "/" + inside):
        path = inside + entry[0]
        if entry[1] == 0x4000:
            yield from tree(folder, path + "/")
        else:
            yield path


def cuts(at=None, torn=(False, True), version="1.0", to="2.0", step=1):
    # Cuts the power at operations of a whole update, from the first write of its order to its
    # first start; yields (operation, torn, version that ran after the power came back, version
    # after the update was then done again). at: the operations; all of them without it.
    # AssertionError: a start found half a firmware. For bench/powercut.py, too.
    fresh = Board(version)
    picture = bytes(fresh.flash.cells)
    offered = {version: firmware(version), to: firmware(to)}
    for is_torn in torn:
        operation = 0
        while True:
            board = fresh
            board.flash.cells = bytearray(picture)
            board.boot()
            board.flash.left, board.flash.torn = operation, is_torn
            if at is None or operation in at:
                try:
                    board.order(to)
                    board.update(offered)
                    board.start()
                except (Cut, OSError):
                    pass
                if not board.flash.dead:
                    break
                board.boot()
                ran = board.start()[0]
                yield operation, is_torn, ran, _again(board, offered, to)
            elif operation > max(at):
                break
            operation += step


def operations(version="1.0", to="2.0"):
    # How many programs and erases the flash sees in such an update and its first start.
    board = Board(version)
    before = board.flash.operations()
    board.order(to)
    board.update({to: firmware(to)})
    board.start()
    return board.flash.operations() - before


def _again(board, offered, to):
    # What the gateway does that sees the old version, or the board that sees its order.
    board.order(to)
    try:
        board.update(offered)
    except install.InstallError as error:
        assert str(error) == "current", error
    return board.start()[0]
