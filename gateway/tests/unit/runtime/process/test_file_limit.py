"""Connections for which there is no file: the loop goes on, and its log stays readable."""

import asyncio
import resource
import socket
from collections.abc import Iterator

import pytest

from doorward.runtime.process import file_limit


@pytest.fixture
def few_files() -> Iterator[None]:
    """Leave this process a handful of open files."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_a_flood_of_connections_is_told_once(
    few_files: None, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(file_limit.FewWords())
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0, backlog=100)
    address = server.sockets[0].getsockname()
    clients = [socket.socket() for _ in range(3)]
    highest = max(client.fileno() for client in clients)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (highest + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    for client in clients:
        client.connect(address)
    await asyncio.sleep(0.2)
    [told] = caplog.messages
    assert told.startswith("no file is left for a connection: [Errno 24]")
    assert "Traceback" not in capfd.readouterr().err
    for client in clients:
        client.close()
    server.close()


async def test_what_else_goes_wrong_is_told_in_full(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(file_limit.FewWords())
    loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    assert "ZeroDivisionError" in caplog.text


def test_the_broker_takes_half_of_few_files(few_files: None) -> None:
    assert file_limit.broker_limits().connections <= 4096
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    assert file_limit.broker_limits().connections == 150
