# A log whose flash has lost what the gateway holds of it: it goes on above that, keeps what it can, and says so.

import json
import os

from bad_flash import BadFlash
from nor import BLOCK
from one_log import Epochs, Gateway, in_files, on_flash, write
from scratch import folder

from doorward_core import seal


class OnFlash:
    # An older copy of a flash, or one whose newest sector went bad.
    def __init__(self, rotten=False):
        self.flash = BadFlash(6)
        self.rotten = rotten

    def open(self):
        self.flash = self.flash.again()
        return on_flash(self.flash)

    def keep(self):
        self.kept = bytes(self.flash.cells)

    def lose(self, log):
        if self.rotten:
            self.flash.rot(log.store.head * BLOCK, BLOCK)
        else:
            self.flash.cells[:] = self.kept


class InFiles:
    def __init__(self):
        self.path = folder()

    def open(self):
        return in_files(self.path)

    def keep(self):
        self.kept = {}
        for name in os.listdir(self.path):
            with open(self.path + "/" + name, "rb") as file:
                self.kept[name] = file.read()

    def lose(self, _log):
        for name in os.listdir(self.path):
            os.remove(self.path + "/" + name)
        for name in self.kept:
            with open(self.path + "/" + name, "wb") as file:
                file.write(self.kept[name])


def places():
    return OnFlash(), OnFlash(True), InFiles()


def note(log, kind, **data):
    log.add(kind, data)
    log.flush()


def catch_up(log, gateway):
    # Hello, answer, and what follows; the board's turns until nothing is left to do.
    log.renewed = True
    for _ in range(60):
        if log.renewed:
            gateway.greet(log)
        log.flush()
        gateway.drain(log)
    assert not log.waiting() and gateway.newest == log.store.seq


def told(gateway):
    return [json.loads(body) for _seq, body in sorted(gateway.bodies.items())]


def behind(place, more):
    # A gateway that has 60 events, and a board that has started without the last of them.
    log, gateway = place.open(), Gateway()
    write(log, 40)
    gateway.drain(log)
    place.keep()
    write(log, 20)
    gateway.drain(log)
    place.lose(log)
    log = place.open()
    assert log.store.seq < 60
    note(log, "boot")
    for number in range(more):
        note(log, "door.forced", n=number)
    return log, gateway


def test_it_goes_on_above_what_the_gateway_holds():
    for more in (0, 3, 9, 60):
        for place in places():
            log, gateway = behind(place, more)
            held = gateway.newest
            catch_up(log, gateway)
            [(first, last)] = gateway.gaps
            assert first == held + 1 and log.store.seq == last + 1 + more
            new = [event for event in told(gateway) if event["seq"] > held]
            assert [event["type"] for event in new] == ["boot"] + ["door.forced"] * more
            assert [event["data"]["n"] for event in new[1:]] == list(range(more))
            assert gateway.seqs[:held] == list(range(1, held + 1)), "what it had stays as it was"


def test_what_it_says_of_itself_is_that_it_was_behind():
    for place in places():
        log, gateway = behind(place, 3)
        log.greet()
        log.acknowledged(log.store.epoch, gateway.newest, gateway.digest)
        assert log.upload() is None and log.renewed and log.waiting()
        assert log.greet()[0] > 60, "a hello from before would not be believed"
        log.acknowledged(log.store.epoch, gateway.newest, gateway.digest)
        for _ in range(4):
            log.flush()
        payload = log.upload()
        event = json.loads(seal.split(payload).body)
        assert event["type"] == "lost" and event["data"]["behind"] is True
        gateway.take(payload)


def test_cut_off_before_it_could_say_so_it_says_so_later():
    for turns in range(8):
        for place in places():
            log, gateway = behind(place, 5)
            gateway.greet(log)
            log.upload()
            for _ in range(turns):
                log.flush()
            log = place.open()
            note(log, "boot")
            catch_up(log, gateway)
            lost = [body for body in gateway.losses if b'"behind":true' in body]
            assert lost, (turns, place)
            kinds = [event["type"] for event in told(gateway) if event["seq"] > 60]
            assert kinds.count("door.forced") <= 5 and kinds[-1] == "boot"


def test_nothing_is_sent_before_the_gateway_has_said_what_it_holds_or_is_silent_for_long():
    log = InFiles().open()
    write(log, 3)
    log.greet()
    assert log.upload() is None and log.waiting()
    log.acknowledged("00000000", 9, bytes(16))
    assert log.upload() is None, "the answer to somebody else"
    log.acknowledged(log.store.epoch, 0, bytes(16))
    assert log.upload()
    log.greet()
    log.rewind()
    assert log.upload()


def test_a_gateway_of_before_which_says_no_digest_is_no_reason_to_go_elsewhere():
    for place in places():
        log, _gateway = behind(place, 0)
        held = log.store.seq
        log.greet()
        log.acknowledged(log.store.epoch, 60)
        log.rewind()
        assert log.store.seq == held and log.upload()


def test_another_digest_moves_nothing_before_it_was_compared():
    # The flash would be free for what comes next, and what this board alone knows be gone.
    for place in places():
        log, gateway = behind(place, 40)
        log.greet()
        log.acknowledged(log.store.epoch, gateway.newest, gateway.digest)
        begins = log.store.settled
        log.rewind()
        assert log.store.settled == begins


def test_a_log_far_behind_costs_no_more_than_one_that_is_near():
    # A gateway may say any number: nobody counts up to it.
    for place in places():
        log, gateway = behind(place, 3)
        gateway.newest += 2000000000
        catch_up(log, gateway)
        assert log.store.seq > 2000000000
        log = place.open()
        write(log, 200)
        catch_up(log, gateway)


def test_again_and_again_it_is_one_log():
    for place in places():
        log, gateway = behind(place, 2)
        catch_up(log, gateway)
        for _ in range(3):
            place.keep()
            write(log, 30)
            catch_up(log, gateway)
            place.lose(log)
            log = place.open()
            note(log, "boot")
            catch_up(log, gateway)
        assert len(gateway.gaps) == 4


def over(place, more):
    # A board had begun another log; then its first is there again, as an older copy has it.
    log, gateway = place.open(), Epochs()
    write(log, 40)
    gateway.drain(log)
    place.keep()
    write(log, 20)
    gateway.drain(log)
    other = in_files(folder())
    write(other, 5)
    gateway.drain(other)
    place.lose(log)
    log = place.open()
    note(log, "boot")
    for number in range(more):
        note(log, "door.forced", n=number)
    return log, gateway


def test_a_log_that_is_over_is_followed_by_a_new_one():
    for more in (0, 3, 9, 60):
        for place in places():
            log, gateway = over(place, more)
            former = log.store.epoch
            catch_up(log, gateway)
            assert log.store.epoch != former and len(gateway.former) == 2
            [lost] = gateway.losses
            assert b'"behind":true' in lost and gateway.gaps[0][0] == 1
            assert [event["type"] for event in told(gateway)] == ["boot"] + ["door.forced"] * more
            epoch = log.store.epoch
            write(log, 40)
            catch_up(log, gateway)
            log = place.open()
            assert log.store.epoch == epoch, "the new one is what a start finds"
            note(log, "boot")
            catch_up(log, gateway)
            assert len(gateway.losses) == 1 and len(gateway.former) == 2


def test_cut_off_while_it_begins_a_new_one_it_begins_one_later():
    for turns in range(8):
        for place in places():
            log, gateway = over(place, 5)
            gateway.greet(log)
            log.upload()
            for _ in range(turns):
                log.flush()
            log = place.open()
            note(log, "boot")
            catch_up(log, gateway)
            assert [b'"behind":true' in lost for lost in gateway.losses] == [True], turns
            kinds = [event["type"] for event in told(gateway)]
            assert kinds.count("door.forced") <= 5 and kinds[-1] == "boot"


def test_a_log_that_is_over_and_not_behind_is_followed_by_a_new_one_too():
    # The copy is of the very moment at which the board began the other.
    for place in (OnFlash(), InFiles()):
        log, gateway = place.open(), Epochs()
        write(log, 40)
        gateway.drain(log)
        other = in_files(folder())
        write(other, 5)
        gateway.drain(other)
        log = place.open()
        former = log.store.epoch
        note(log, "boot")
        catch_up(log, gateway)
        assert log.store.epoch != former and len(gateway.former) == 2
        assert [event["type"] for event in told(gateway)] == ["boot"]
