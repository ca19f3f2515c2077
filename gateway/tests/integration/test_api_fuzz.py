"""Hostile input at every place that the API's own description knows: told off with 4xx, and nothing breaks.

The gateway is the real one, with its encrypted store behind it. Who asks may do everything (the local socket), so that
every value reaches the code that it is meant for.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from site_support import running, settings_for

from doorward.runtime.gateway import Gateway
from doorward.web.app import MAX_LOCAL_BODY

TEXTS = (
    "",
    " ",
    "\x00",
    "front\x00",
    "x" * 5000,
    "' OR '1'='1",
    "front'; DROP TABLE operator; --",
    'x" UNION SELECT password FROM operator --',
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "../../../../etc/passwd",
    "%s%n{0}{{7*7}}${7*7}",
    "a\r\nSet-Cookie: x=y",
    "\u202egnp.exe",
    "\u001b[2J",
    "\U0010ffff\ufeff",
    "-1",
    "1e400",
    "99999999999999999999999999",
    "2026-11-21T25:61:61Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "٣",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**63,
    10**400,
    1.5,
    [],
    {},
    ["\x00"],
    [[[]]],
    {"a": 1},
)
BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"\xff\xfe\x00",
    b'{"name": NaN}',
    b'{"name": "\\ud800"}',
    b'{"username": "\\ud800", "password": "\\ud800\\ud800\\ud800\\ud800\\ud800", "role": "\\udfff"}',
    b'{"proof": "\\ud800", "door": "\\ud800", "card": "\\ud800", "person": "\\ud800"}',
    b"[" * 50_000,
    b'{"a":' * 10_000,
    b'{"name": 1' + b"0" * 5000 + b"}",
)
# Beside what a schema says: what makes the rest of an order valid, so that the hostile part is reached.
FINE = {
    "password": "correct horse battery", "role": "Guest", "permissions": ["doors.see"], "days": 1,
    "scopes": ["doors.see"], "door": "front", "uid": "04a1b2c3", "open": True,
}  # fmt: skip


def _deref(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
        return found
    return schema


def attempts(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every request: method, path and query, and what else httpx takes."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            places = operation.get("parameters", [])
            names = {place["name"]: place["in"] for place in places}
            for hostile in names:
                for text in TEXTS:
                    filled, query = path, []
                    for name, where in names.items():
                        value = text if name == hostile else "front"
                        if where == "path":
                            filled = filled.replace(f"{{{name}}}", quote(value, safe="") or "%20")
                        else:
                            query.append(f"{name}={quote(value, safe='')}")
                    yield method, f"{filled}?{'&'.join(query)}", {}
            plain = path
            for name in names:
                plain = plain.replace(f"{{{name}}}", "front")
            if "requestBody" in operation:
                yield from _bodies(document, method, plain, operation)


def _bodies(
    document: dict[str, Any], method: str, path: str, operation: dict[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    schema = _deref(document, operation["requestBody"]["content"]["application/json"]["schema"])
    fields = schema.get("properties", {})
    for hostile in fields:
        for value in (*TEXTS, *VALUES, list(TEXTS)):
            order = {name: FINE.get(name, f"fine {name}") for name in fields} | {hostile: value}
            yield method, path, {"content": json.dumps(order).encode()}
    for body in BODIES:
        yield method, path, {"content": body}
        yield method, path, {"content": body, "headers": {"content-type": "text/plain"}}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(Gateway(settings_for(tmp_path / "d"))) as gateway:
        yield gateway


def schema(gateway: Gateway) -> bytes:
    with gateway.store._engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master ORDER BY name")
        return hashlib.sha256(repr(rows.all()).encode()).digest()


@pytest.mark.timeout(300)
async def test_no_input_breaks_the_api(gateway: Gateway) -> None:
    before = schema(gateway)
    transport = httpx.AsyncHTTPTransport(uds=str(gateway.settings.socket))
    broken, count, answers = [], 0, set()
    async with httpx.AsyncClient(
        transport=transport, base_url="http://doorward", timeout=30
    ) as http:
        document = (await http.get("/api/v1/openapi.json")).json()
        for method, path, more in attempts(document):
            more.setdefault("headers", {"content-type": "application/json"})
            response = await http.request(method, path, **more)
            count += 1
            answers.add(response.status_code)
            if response.status_code >= 500 and response.status_code != 503:
                broken.append((method, path[:120], repr(more.get("content", b""))[:160]))
            if response.status_code >= 400:
                error = response.json()["error"]
                assert set(error) == {"code", "message", "field"}
                assert "\n" not in error["message"], path
        assert (await http.get("/api/v1/doors")).status_code == 200
    assert broken == []
    assert {404, 422} <= answers
    assert count > 1000
    assert schema(gateway) == before


async def test_what_is_too_large_is_not_read(gateway: Gateway) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(gateway.settings.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorward") as http:
        for path in ("people", "cards", "operators", "tokens"):
            answer = await http.post(
                f"/api/v1/{path}", content=b'{"name": "' + b"x" * MAX_LOCAL_BODY
            )
            assert answer.status_code == 413
