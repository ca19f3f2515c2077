# The installer on a real LittleFS: what it takes, what it refuses, and every power cut.

import os

from slots import ROOT, Board, cuts, firmware, manifest, operations
from support import raises

from doorward_node import install


def refused(board):
    return str(raises(install.InstallError, install.Install, ROOT))


def test_an_empty_board_gets_slot_a_and_no_trial():
    board = Board("1.0")
    assert board.start() == ("1.0", False)
    assert os.listdir(ROOT + "/b" if "b" in os.listdir(ROOT) else ROOT) != []
    assert "update.json" not in os.listdir(ROOT)


def test_a_trial_has_three_starts_and_then_the_old_firmware_comes_back():
    board = Board("1.0")
    board.order("2.0")
    board.update({"2.0": firmware("2.0")})
    assert [board.start() for _ in range(3)] == [("2.0", True)] * 3
    assert [board.start() for _ in range(2)] == [("1.0", False)] * 2


def test_a_confirmed_firmware_stays():
    board = Board("1.0")
    board.order("2.0")
    board.update({"2.0": firmware("2.0")})
    assert board.start() == ("2.0", True)
    board.confirm()
    assert [board.start() for _ in range(5)] == [("2.0", False)] * 5


def test_what_is_the_same_in_the_other_slot_is_not_asked_for():
    board = Board("1.0")
    board.order("2.0")
    at_work = install.Install(ROOT)
    lacking = at_work.missing()
    files = firmware("1.0"), firmware("2.0")
    assert lacking == sorted([path for path in files[1] if files[0][path] != files[1][path]])
    assert str(raises(install.InstallError, at_work.switch)) == "incomplete"
    for path in lacking:
        board.write("/b/" + path, files[1][path])
    at_work = install.Install(ROOT)
    assert at_work.missing() == []
    at_work.switch()
    assert board.start() == ("2.0", True)


def test_what_has_come_before_a_cut_is_not_asked_for_again():
    board = Board("1.0")
    board.order("2.0")
    files = firmware("2.0")
    at_work = install.Install(ROOT)
    asked = []
    while len(asked) < 4:
        at_work.step()
        if at_work.wanted:
            path, offset = at_work.wanted
            if path not in asked:
                asked.append(path)
            at_work.take(path, offset, files[path][offset : offset + 384])
    at_work.close()
    board.boot()
    assert install.Install(ROOT).missing()[0] == asked[-1]


def test_leftovers_in_the_slot_go():
    board = Board("1.0")
    for folder in ("/b", "/b/doorward_node", "/b/old"):
        try:
            os.mkdir(ROOT + folder)
        except OSError:
            pass
    for path in ("/b/x.py", "/b/doorward_node/part1.py", "/b/old/app.mpy"):
        board.write(path, b"stale")
    board.order("2.0")
    board.update({"2.0": firmware("2.0")})
    assert board.start() == ("2.0", True)  # whole() names every file that should not be there


def test_bytes_that_were_not_asked_for_and_wrong_bytes_are_not_taken():
    board = Board("1.0")
    board.order("2.0")
    at_work = install.Install(ROOT)
    while not at_work.wanted:
        at_work.step()
    path, offset = at_work.wanted
    assert not at_work.take(path, offset + 1, b"x")
    assert not at_work.take("doorward_node/boot.mpy", offset, b"x")
    assert not at_work.take(path, offset, b"")

    def wrong():
        while not at_work.step():
            if at_work.wanted:
                at_work.take(at_work.wanted[0], at_work.wanted[1], b"x" * 384)

    assert str(raises(install.InstallError, wrong)) == "digest"
    assert board.start() == ("1.0", False)


def test_a_lower_epoch_is_refused_once_a_higher_one_was_confirmed():
    board = Board("1.0")
    board.order("2.0", epoch=1)
    board.update({"2.0": firmware("2.0")})
    board.start()
    board.confirm()
    board.order("1.0")
    assert refused(board) == "epoch"
    board.order("3.0", epoch=1)
    assert install.Install(ROOT).slot == "a"


def test_a_trial_that_failed_raises_no_epoch():
    board = Board("1.0")
    board.order("2.0", epoch=1)
    board.update({"2.0": firmware("2.0")})
    for _ in range(4):
        board.start()
    board.order("1.5")
    assert install.Install(ROOT).slot == "b"


def test_the_firmware_in_use_is_not_installed_again():
    board = Board("1.0")
    board.order("1.0")
    assert refused(board) == "current"


def test_an_update_in_a_trial_goes_back_to_what_is_known_to_run():
    board = Board("1.0")
    board.order("2.0")
    board.update({"2.0": firmware("2.0")})
    assert board.start() == ("2.0", True)
    board.order("3.0")
    at_work = install.Install(ROOT)
    assert at_work.slot == "b"
    at_work.step()
    at_work.close()
    assert board.start() == ("1.0", False)


def test_manifests_that_are_refused():
    board = Board("1.0")
    files = firmware("2.0")
    good = manifest("2.0", files)
    for other, word in (
        (manifest("2.0", files, family="rp2"), "family"),
        (manifest("2.0", files, mpy=5), "mpy"),
        (manifest("2.0", files, size=1), "manifest"),
        (manifest("2.0", files, epoch="1"), "manifest"),
        (manifest("2.0", files, epoch=-1), "manifest"),
        (manifest("", files), "manifest"),
        (manifest("2 0", files), "manifest"),
        (manifest(["2"], files), "manifest"),
        (good[:-1], "manifest"),
        (good + b"x", "manifest"),
        (good.replace(b"part1", b"../x"), "manifest"),
        (good.replace(b"doorward_node/part1.mpy", b"doorward_node/part1.pyc"), "manifest"),
        (good.replace(b"doorward_node/part1.mpy", b"boot.py"), "manifest"),
        (good.replace(b"doorward_node/part1.mpy", b"doorward_node/part0.mpy"), "manifest"),
        (b"", "manifest"),
        (b"[]", "manifest"),
        (b'{"version":1}', "manifest"),
    ):
        board.write("/update.json", other)
        assert refused(board) == word, (word, other)
    board.write("/update.json", good)
    assert install.Install(ROOT).version == "2.0"


def test_whenever_the_power_goes_one_complete_firmware_starts():
    # Some of the cuts; bench/powercut.py makes them all.
    seen = {}
    last = operations()
    some = set(range(0, last, 17)) | set(range(last - 6, last))  # at the end it switches
    for operation, _torn, ran, then in cuts(some):
        assert ran in ("1.0", "2.0"), operation
        assert then == "2.0", operation
        seen[ran] = seen.get(ran, 0) + 1
    assert sum(seen.values()) >= 10, seen
    assert seen["1.0"] and seen["2.0"], seen


def caught(patch, name, value):
    kept = getattr(patch, name)
    setattr(patch, name, value)
    try:
        for _ in cuts(torn=(True,), step=29):
            pass
    except AssertionError:
        return True
    except OSError:
        return True  # a slot that is named, and is not there
    finally:
        setattr(patch, name, kept)
    return False


def test_an_installer_that_trusts_the_size_is_caught():
    def holds(path, size, _digest):
        yield
        try:
            return os.stat(path)[6] == size
        except OSError:
            return False

    board = Board("1.0")
    board.order("2.0")
    kept, install._holds = install._holds, holds
    try:
        board.update({"2.0": firmware("2.0")})
        raises(AssertionError, board.start)
    finally:
        install._holds = kept


def test_an_installer_that_switches_first_is_caught():
    def early(at_work):
        kept = at_work._words
        install._write_slot(ROOT, [at_work.slot, "0"])
        at_work._words = kept
        yield from run(at_work)

    run = install.Install._run
    assert not caught(install.Install, "_run", run)
    assert caught(install.Install, "_run", early)
