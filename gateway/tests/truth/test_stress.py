"""The stress script itself: everything that is sent comes, and it says so when something does not."""

import asyncio
import re
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "stress" / "locustfile.py"


async def locust(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "locust", "-f", SCRIPT, "--headless", "--only-summary"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_fifty_people_for_eight_seconds_miss_nothing():
    status, output = await locust("-u", "50", "-t", "8s")
    assert status == 0, output
    requests, failures = map(int, re.findall(r"Aggregated +(\d+) +(\d+)\(", output)[-1])
    assert requests > 200, output
    assert failures == 0, output
    for kind in ("QoS 0", "QoS 1", "QoS 2", "retained", "session"):
        assert re.search(rf"^{kind} .*publish|^{kind} .*come back", output, re.MULTILINE), kind
    assert "50%" in output
    assert "95%" in output


async def test_a_broker_that_is_not_there_is_a_failure():
    output = ""
    for seconds in (3, 10, 30):  # on a busy machine nobody has knocked yet after three
        status, output = await locust(
            "-u", "2", "-t", f"{seconds}s", "--host", "mqtt://127.0.0.1:1"
        )
        assert status == 1, output
        if "ConnectionRefusedError" in output:
            return
    raise AssertionError(output)
