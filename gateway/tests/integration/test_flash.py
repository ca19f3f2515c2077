"""./flash.sh's command: an empty board at a USB port becomes a door, with the real mpremote and a real gateway.

The board is a virtual one: a real MicroPython with a LittleFS, whose serial port is a terminal.
"""

import asyncio
import hashlib
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from site_support import profiles
from watching import until

from doorward import boards
from doorward.app.signatory import signatory_of
from doorward.data import data_root
from doorward.runtime.demo.gateway import VirtualSite
from doorward_lab import Air, Board, Lab

pytestmark = pytest.mark.timeout(600)  # foreign tools, one process a step

SECRET = "correct horse battery"  # the Wi-Fi's
NAME = "front-usb"
HEAP_KIB = 192
_COMMAND = Path(__file__).parents[1] / "flash_command.py"


async def empty_board(lab: Lab, name: str, wiring: str = "door-esp32") -> Board:
    """With parts soldered to it, and nothing but MicroPython on it."""
    profile = boards.load(data_root() / "boards", wiring)
    soldered = {"id": name, "chip": profile.chip, "pins": boards.compiled(profile)["pins"]}
    return await lab.start_board(soldered, heap_kib=HEAP_KIB, serial=True, flash_it=False)


class Flasher:
    """Runs the command as a user does, and reads what every user of the machine can read of it meanwhile."""

    def __init__(self, site: VirtualSite, folder: Path) -> None:
        self.data = site.settings.directory
        self._password = folder / "password"
        self._password.write_text(SECRET + "\n")
        self.arguments: set[bytes] = set()
        self.process: asyncio.subprocess.Process | None = None

    async def run(
        self, board: Board, *words: str, name: str = NAME, wifi: bool = False
    ) -> tuple[int, str]:
        assert board.serial is not None
        network = ["--wifi", "home", "--wifi-password-file", str(self._password)] if wifi else []
        kind = () if "--board" in words else ("--board", "door-esp32")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, _COMMAND, "board", "flash", *kind, "--name", name),
            *("--port", str(board.serial.path), "--data", str(self.data), *network, *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.process = process
        watcher = asyncio.create_task(self._watch())
        said, _ = await asyncio.wait_for(process.communicate(), 150)
        watcher.cancel()
        return process.returncode or 0, said.decode()

    async def done(self, board: Board, *words: str, **more: Any) -> dict[str, Any]:
        status, said = await self.run(board, *words, "--json", **more)
        assert status == 0, said
        answer: dict[str, Any] = json.loads(said)
        return answer

    async def refused(self, board: Board, *words: str, **more: Any) -> str:
        status, said = await self.run(board, *words, **more)
        assert (status, said.count("\n")) == (1, 1), said
        return said

    async def stopped(self, board: Board, after: int) -> tuple[int, str]:
        """As `run`, with a ^C when so many bytes have gone to the board."""
        assert board.serial is not None
        began = board.serial.received
        running = asyncio.create_task(self.run(board))
        while board.serial.received < began + after:
            assert not running.done(), running.result()
            await asyncio.sleep(0.02)
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return await running

    async def _watch(self) -> None:
        while True:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.arguments.add(path.read_bytes())
                except OSError:
                    continue
            await asyncio.sleep(0.1)


@pytest.fixture
def flasher(site: VirtualSite, tmp_path: Path) -> Flasher:
    return Flasher(site, tmp_path)


async def at_prompt(board: Board, script: str, folder: Path) -> str:
    """Do something on the board as its owner might, by hand; returns what it prints."""
    assert board.serial is not None
    path = folder / "by_hand.py"
    path.write_text(script)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mpremote", "connect", str(board.serial.path), "run", str(path)),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_from_an_empty_board_to_a_door(
    site: VirtualSite, lab: Lab, flasher: Flasher, tmp_path: Path
) -> None:
    board = await empty_board(lab, "usb")
    done = await flasher.done(board, "--door", "Side door", wifi=True)
    assert (done["slot"], done["trial"], done["door"]) == ("a", False, "Side door")
    assert done["files"] > 50
    await until(lambda: site.cases.devices.get(NAME).online, board)
    # Updates over the network will be taken from who signs for this site.
    signer = signatory_of((flasher.data / "signer" / "firmware.pub").read_bytes())
    says = "import os, hashlib, binascii\n"
    says += "print(binascii.hexlify(hashlib.sha256(open('/firmware.key', 'rb').read()).digest()))"
    assert hashlib.sha256(signer.modulus).hexdigest() in await at_prompt(board, says, tmp_path)

    # The network is kept for the next board, the keys are not; nobody else can read either, or saw them pass by.
    kept = flasher.data / "flash" / "wifi.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["password"] == SECRET
    assert not (flasher.data / "flash" / NAME).exists()
    assert any(b"mpremote" in words for words in flasher.arguments), "nobody looked"
    assert not [words for words in flasher.arguments if SECRET.encode() in words]
    assert not [line for line in board.log if SECRET in line]

    # What is on it already is not uploaded again.
    again = await flasher.done(board)
    assert (again["files"], again["bytes"], again["slot"]) == (0, 0, "a")
    assert again["state"] == "approved"

    # An old file that was copied by hand would be loaded in the place of a new one.
    await at_prompt(
        board,
        "import os\n"
        "for name in ('/b', '/doorward_node'):\n    os.mkdir(name)\n"
        "for name in ('/b/stale.py', '/doorward_node/link.py', '/a/manifest.json'):\n"
        "    with open(name, 'a') as file:\n        file.write(' ')\n",
        tmp_path,
    )
    # Stopped at the first question, and in the middle of the upload, it leaves a board that runs.
    for after in (300, 6_000):
        board.log.clear()
        status, said = await flasher.stopped(board, after)
        assert (status, said) == (
            130,
            "doorward: stopped, and the board runs again; run the same again, which goes on from there\n",
        )
        await board.wait_log("doorward: wifi: 1010", 30)
    third = await flasher.done(board)
    assert (third["slot"], third["trial"], third["removed"]) == ("b", True, ["doorward_node"])
    assert third["files"] < 10, "what slot a had was copied on the board"
    await board.wait_log("doorward: update: confirmed", 30)
    there = await at_prompt(board, "import os\nprint(os.listdir('/b'), os.listdir('/'))", tmp_path)
    assert "stale.py" not in there
    assert "'doorward_node', 'manifest.json'" in there, "what belongs there is there"
    assert "usb" not in there


async def test_what_is_wrong_is_said_in_one_line_with_the_next_step(
    site: VirtualSite, lab: Lab, flasher: Flasher
) -> None:
    board = await empty_board(lab, "wrong")
    assert "no Wi-Fi is known" in await flasher.refused(board)
    assert "did you mean door-esp32-c3?" in await flasher.refused(board, "--board", "dor-esp32-c3")
    said = await flasher.refused(board, "--board", "door-esp32-c3", wifi=True)
    assert (
        "the board has an ESP32, and door-esp32-c3 is for an ESP32-C3; use --board door-esp32"
        in said
    )
    assert "32 of A-Z" in await flasher.refused(board, name="no name", wifi=True)
    taken = await flasher.refused(board, name="front", wifi=True)
    assert "the board front is known already" in taken
    assert "--again" in taken
    # Nothing of all that has touched the board.
    assert not (flasher.data / "flash" / "front").exists()
    planned = await flasher.done(board, "--dry-run", name="planned", wifi=True)
    assert "new keys" in planned["steps"]
    assert not site.cases.devices.knows("planned")

    # Its firmware and its keys are on it, and something between it and the gateway is wrong.
    nowhere = ("--broker", "127.0.0.1:9", "--wait", "8")
    board.set_wifi(Air.WRONG_PASSWORD)
    said = await flasher.refused(board, *nowhere, name="deaf", wifi=True)
    assert "the password of the Wi-Fi home is wrong (202)" in said
    board.set_wifi(Air.GOOD)
    said = await flasher.refused(board, *nowhere, name="deaf")
    assert "nobody listens at 127.0.0.1:9" in said
    broker = profiles(site)[0]["broker"]
    done = await flasher.done(board, "--broker", f"{broker['host']}:{broker['port']}", name="deaf")
    assert (done["files"], done["state"]) == (1, "announced")
    other = await flasher.refused(board, name="else", wifi=True)
    assert "the board is deaf; say --name deaf, or --again" in other
