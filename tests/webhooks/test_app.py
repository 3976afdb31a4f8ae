import asyncio
import hashlib
import hmac
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from bot.errors import RetryLater
from bot.store import Session, Store, deliveries
from bot.tables import Delivery
from webhooks.app import Doors, create_app

BODY = b'{"ref": "refs/heads/main"}'


def _doors(limit: int = 4000) -> Doors:
    return Doors(["s3cret"], ["signing"], limit, time.time)


def _headers(body: bytes, delivery: str = "d-1") -> dict[str, str]:
    return {
        "X-Hub-Signature-256": "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest(),
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": delivery,
        "Content-Type": "application/json",
    }


@asynccontextmanager
async def _served(store: Store, *, dead: tuple[str, ...] = ()) -> AsyncIterator[httpx.AsyncClient]:
    """The application behind a real server on a free port."""

    async def away(_request: Request) -> PlainTextResponse:
        raise RetryLater("secret details")

    app = create_app(
        store,
        _doors(),
        dead=lambda: dead,
        extra=[Route("/away", away), Route("/api/away", away)],
        missing=lambda: HTMLResponse("a page", 404),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base) as client:
            yield client
    finally:
        server.should_exit = True
        await serving


def _stored(session: Session) -> list[Delivery]:
    return deliveries.claim(session, owner="test", now=1e12, lease=0.0, limit=99)


async def test_delivery_is_in_the_database_when_it_is_answered(store: Store) -> None:
    async with _served(store) as client:
        for _ in range(2):
            answer = await client.post("/webhooks/github", content=BODY, headers=_headers(BODY))
            assert answer.status_code == 202
        assert [delivery.key for delivery in await store.write(_stored)] == ["github:d-1"]


@pytest.mark.parametrize(
    ("declaration", "sent"),
    [
        ("Content-Length: 5000", b""),  # refused before any of it came
        ("Transfer-Encoding: chunked", b"9c4\r\n" + b"x" * 2500 + b"\r\n9c4\r\n" + b"x" * 2500 + b"\r\n"),
    ],
)
async def test_body_over_the_limit_is_refused_and_the_connection_ends(
    store: Store, declaration: str, sent: bytes
) -> None:
    async with _served(store) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        head = "".join(f"{name}: {value}\r\n" for name, value in _headers(b"").items())
        writer.write(
            f"POST /webhooks/github HTTP/1.1\r\nHost: a\r\n{declaration}\r\n{head}\r\n".encode() + sent
        )
        answer = await reader.read()  # to the end: the server closes
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 413")
    assert await store.write(_stored) == []


async def test_header_bytes_that_are_no_text_are_unauthorized(store: Store) -> None:
    async with _served(store) as client:
        for path, name in (("github", b"X-Hub-Signature-256"), ("slack", b"X-Slack-Signature")):
            headers = [(name, b"\xff\xfe\x80"), (b"Content-Type", b"application/json\xff")]
            answer = await client.post(f"/webhooks/{path}", content=BODY, headers=headers)
            assert answer.status_code == 401


async def test_no_answer_leads_to_the_host_that_the_request_names(store: Store) -> None:
    async with _served(store) as client:
        for path in ("/readyz/", "/webhooks/github/"):
            answer = await client.get(path, headers={"Host": "evil.example"})
            assert (answer.status_code, answer.headers.get("location")) == (404, None)


async def test_api_says_in_its_own_form_what_there_is_not(store: Store) -> None:
    async with _served(store) as client:
        for path, status in (("/api/nothing", 404), ("/api/away", 405)):
            answer = await client.post(path)
            assert (answer.status_code, answer.json()["status"]) == (status, status)
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.get("/nothing")).text == "Not Found\n"
        page = await client.get("/nothing", headers={"accept": "text/html,*/*"})
        assert (page.status_code, page.text) == (404, "a page")


async def test_health_ready_and_metrics(store: Store) -> None:
    async with _served(store) as client:
        assert (await client.get("/healthz")).text == "ok\n"
        assert (await client.get("/readyz")).text == "ready\n"
        await client.post("/webhooks/github", content=BODY, headers=_headers(BODY))
        await client.post("/webhooks/github", content=BODY, headers={})
        metrics = (await client.get("/metrics")).text
    assert 'errand_deliveries_total{event="push",outcome="stored",source="github"}' in metrics
    assert 'errand_deliveries_total{event="unverified",outcome="unauthorized",source="github"}' in metrics
    assert 'errand_queue_depth{queue="deliveries",state="stored"} 1.0' in metrics


async def test_dead_loop_makes_it_unready(store: Store) -> None:
    async with _served(store, dead=("desk",)) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "the desk loop has ended\n")


async def test_page_says_that_the_database_is_away_and_no_more(store: Store) -> None:
    async with _served(store) as client:
        answer = await client.get("/away")
        assert (answer.status_code, answer.text) == (503, "The database does not answer.\n")


def test_secrets_are_not_in_the_repr() -> None:
    assert "s3cret" not in repr(_doors())


@pytest.mark.postgres
async def test_lost_database_is_unready(postgres_url: str) -> None:
    async with await Store.open(postgres_url, owner="one") as store, _served(store) as client:
        await store.ping()
        await asyncio.to_thread(_lock_out, postgres_url)
        assert (await client.get("/readyz")).status_code == 503


def _lock_out(url: str) -> None:
    name = url.rpartition("/")[2]
    with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
