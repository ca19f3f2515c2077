"""Coverage-guided: libFuzzer looks for bytes that the codec does not survive."""

import asyncio
import os
import platform
import sys
from pathlib import Path

import pytest

from doorward_core import mqtt, mqtt_stream

RUNS = 200_000
HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="atheris has wheels for x86_64 alone"
)


async def fuzzed(tmp_path: Path, seed: int, *breaking: str) -> tuple[int, str]:
    """(exit status, what libFuzzer said); `breaking` is run first, to see that it would notice."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    good = (
        mqtt.connect("front", 10, False, "front", b"secret", ("t", b"w", True, 1)),
        mqtt.subscribe(3, [("a/+", 1), ("b/#", 2)]),
        mqtt.publish("a/b", b"payload", 2, True, False, 5),
        mqtt.ack(mqtt.PUBREL, 5),
    )
    for number, packet in enumerate(good):
        assert mqtt_stream.Decoder().feed(packet)
        (corpus / str(number)).write_bytes(b"\7" + packet)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        HERE / "atheris_codec.py",
        *(f"-runs={RUNS}", f"-seed={seed}", "-max_len=256", "-print_final_stats=1", "-timeout=5"),
        corpus,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((*breaking, *sys.path))},
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


async def test_two_hundred_thousand_inputs_are_packets_or_mqtt_errors(tmp_path, seed):
    status, output = await fuzzed(tmp_path, seed)
    assert status == 0, output[-3000:]
    assert f"stat::number_of_executed_units: {RUNS}" in output, output[-3000:]


async def test_a_codec_that_forgets_to_check_a_length_is_caught(tmp_path, seed):
    core = Path(mqtt.__file__).parent
    mutant = tmp_path / "mutant" / "doorward_core"
    mutant.mkdir(parents=True)
    for file in core.glob("*.py"):
        (mutant / file.name).write_text(file.read_text())
    text = (mutant / "mqtt_packets.py").read_text()
    check = '    if len(body) < at + 2:\n        raise MqttError("packet cut short")\n    packet_id'
    assert check in text
    (mutant / "mqtt_packets.py").write_text(text.replace(check, "    packet_id"))
    status, output = await fuzzed(tmp_path, seed, str(mutant.parent))
    assert status != 0
    assert "IndexError" in output
