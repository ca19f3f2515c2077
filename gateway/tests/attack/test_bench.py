"""The bench is a script that people run: a short run of it says what the long one says."""

import asyncio
import json
import sys

import pytest

from doorward.data import data_root


@pytest.mark.timeout(1200)  # half a minute of a processor, which others may want as well
async def test_a_short_run_of_the_bench_ends_with_its_figures() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(data_root() / "bench" / "trust.py"),
        *("--json", "--rounds", "150", "--mutants", "1"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    figures = json.loads(said)
    assert figures["rounds"] >= 150
    assert figures["opened"] == figures["legitimate"] > 1
    assert figures["uids_read"] == 0
    assert figures["audit_found"] == figures["audit_tampers"] > 40
    assert 0 < figures["revoke_ms"] < 10_000
    assert figures["mutants"] == figures["mutants_caught"] == 1
