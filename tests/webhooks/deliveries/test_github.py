import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.errors import RetryLater
from webhooks.deliveries import github

SECRET = "It's a Secret to Everybody"
LIMIT = 4000


class Shelf:
    """Keeps what a door stores; `away` counts how often the database does not answer first."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.away = 0

    async def add(self, **row: Any) -> None:
        if self.away:
            self.away -= 1
            raise RetryLater("gone")
        self.rows.append(row)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def _client(shelf: Shelf, *secrets: str) -> httpx.AsyncClient:
    routes = github.routes(secrets, add_delivery=shelf.add, limit=LIMIT, clock=lambda: 12.5)
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://errand.test")


def _headers(body: bytes, *, secret: str = SECRET, **changed: str | bytes | None) -> dict[str, Any]:
    headers: dict[str, Any] = {
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "Content-Type": "application/json",
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in headers.items() if value is not None}


async def _post(shelf: Shelf, body: bytes = b'{"zen": 1}', *secrets: str, **changed: Any) -> httpx.Response:
    async with _client(shelf, *(secrets or (SECRET,))) as client:
        return await client.post("/webhooks/github", content=body, headers=_headers(body, **changed))


async def test_signed_delivery_is_stored_as_it_came(shelf: Shelf) -> None:
    answer = await _post(shelf, b'{"zen":  "\xc3\xa4"}')
    assert (answer.status_code, answer.text) == (202, "")
    assert shelf.rows == [
        {
            "key": "github:72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "source": "github",
            "event": "push",
            "media_type": "application/json",
            "body": b'{"zen":  "\xc3\xa4"}',
            "now": 12.5,
        }
    ]


def test_signature_is_the_one_of_githubs_documentation() -> None:
    signed = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert github._fits([SECRET.encode()], b"Hello, World!", bytes.fromhex(signed))


async def test_form_encoding_is_githubs_own_too(shelf: Shelf) -> None:
    answer = await _post(
        shelf, b"payload=%7B%7D", Content_Type="application/x-www-form-urlencoded; charset=utf-8"
    )
    assert answer.status_code == 202
    assert shelf.rows[0]["media_type"] == "application/x-www-form-urlencoded"


async def test_what_is_no_json_is_stored_all_the_same(shelf: Shelf) -> None:
    assert (await _post(shelf, b"\xff not json")).status_code == 202


async def test_each_of_several_secrets_fits(shelf: Shelf) -> None:
    for secret in ("old", "new"):
        assert (await _post(shelf, b"{}", "old", "new", secret=secret)).status_code == 202
    assert (await _post(shelf, b"{}", "old", "new", secret="other")).status_code == 401


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha256=" + "0" * 63,
        "sha256=" + "g" * 64,
        "sha256=" + "٣" * 64,
        "sha1=" + "0" * 40,
        "sha256=" + "é" * 64,
        b"sha256=\xff\xfe",
        "x" * 9000,
    ],
)
async def test_missing_or_wrong_signature_is_unauthorized(
    shelf: Shelf, signature: str | bytes | None
) -> None:
    value = signature.encode() if isinstance(signature, str) else signature
    answer = await _post(shelf, X_Hub_Signature_256=value)
    assert answer.status_code == 401
    assert shelf.rows == []


async def test_changed_body_is_unauthorized(shelf: Shelf) -> None:
    async with _client(shelf, SECRET) as client:
        answer = await client.post("/webhooks/github", content=b"{ }", headers=_headers(b"{}"))
    assert (answer.status_code, shelf.rows) == (401, [])


@pytest.mark.parametrize("secrets", [(), ("",), (" ",)])
async def test_door_without_secret_stays_closed_and_says_so_at_start(
    shelf: Shelf, secrets: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    async with _client(shelf, *secrets) as client:
        told = capsys.readouterr().out
        answer = await client.post("/webhooks/github", content=b"{}", headers=_headers(b"{}", secret=" "))
    assert answer.status_code == 503
    assert "door_closed" in told
    assert shelf.rows == []


@pytest.mark.parametrize("media_type", [None, "", "text/plain", "application/jsonp", "multipart/form-data"])
async def test_other_media_types_are_refused(shelf: Shelf, media_type: str | None) -> None:
    assert (await _post(shelf, Content_Type=media_type)).status_code == 415


async def test_body_over_the_limit_is_refused(shelf: Shelf) -> None:
    assert (await _post(shelf, b"x" * LIMIT)).status_code == 202
    answer = await _post(shelf, b"x" * (LIMIT + 1))
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert len(shelf.rows) == 1


async def test_undeclared_body_over_the_limit_is_refused(shelf: Shelf) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 100

    async with _client(shelf, SECRET) as client:
        answer = await client.post("/webhooks/github", content=chunks(), headers=_headers(b"x" * 5000))
    assert (answer.status_code, shelf.rows) == (413, [])


@pytest.mark.parametrize(
    "changed",
    [
        {"X_GitHub_Event": None},
        {"X_GitHub_Delivery": None},
        {"X_GitHub_Event": "Push me"},
        {"X_GitHub_Event": "p" * 65},
        {"X_GitHub_Delivery": "a/b"},
        {"X_GitHub_Delivery": "a" * 101},
        {"X_GitHub_Delivery": "é".encode()},
    ],
)
async def test_missing_or_odd_event_headers_are_malformed(shelf: Shelf, changed: dict[str, Any]) -> None:
    assert (await _post(shelf, **changed)).status_code == 400
    assert shelf.rows == []


async def test_unsigned_request_learns_nothing_about_event_headers(shelf: Shelf) -> None:
    answer = await _post(shelf, X_GitHub_Event=None, X_Hub_Signature_256="sha256=" + "0" * 64)
    assert answer.status_code == 401


async def test_ping_is_answered_and_not_kept(shelf: Shelf) -> None:
    answer = await _post(shelf, X_GitHub_Event="ping")
    assert (answer.status_code, answer.text, shelf.rows) == (200, "pong\n", [])
    assert (await _post(shelf, X_GitHub_Event="ping", secret="other")).status_code == 401


async def test_only_post_is_a_delivery(shelf: Shelf) -> None:
    async with _client(shelf, SECRET) as client:
        assert (await client.get("/webhooks/github")).status_code == 405


async def test_delivery_waits_for_a_database_that_is_away_for_a_moment(shelf: Shelf) -> None:
    shelf.away = 2
    assert (await _post(shelf)).status_code == 202
    assert len(shelf.rows) == 1


async def test_database_that_stays_away_is_told_before_github_gives_up(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github, "PATIENCE_S", 0.2)
    shelf.away = 10**9
    answer = await _post(shelf)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_large_bodies_are_verified_too(shelf: Shelf) -> None:
    routes = github.routes([SECRET], add_delivery=shelf.add, limit=25 << 20, clock=lambda: 1.0)
    body = json.dumps({"pad": "x" * (3 << 20)}).encode()
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://errand.test") as client:
        sent = [client.post("/webhooks/github", content=body, headers=_headers(body)) for _ in range(9)]
        answers = await asyncio.gather(*sent)
        wrong = await client.post("/webhooks/github", content=body, headers=_headers(b"other"))
    assert {answer.status_code for answer in answers} == {202}
    assert wrong.status_code == 401
