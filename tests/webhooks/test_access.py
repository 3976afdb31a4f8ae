"""Who may see, asked over HTTP: links, tokens, logins, and what everybody else learns (nothing)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect

from bot.access import links
from bot.store import Store, runs, sessions, tokens
from bot.tables import Run
from executor.logs.store import LogStore
from executor.spec import Secret
from tests import databases
from tests.webhooks import sites
from webhooks.access import new_token, token_hash
from webhooks.failures import MOST_FAILURES, Failures
from webhooks.pages import forms
from webhooks.pages.targets import is_local_path

KEYS = links.derive([Secret("s3cret")])
URL = "https://errand.example.com"
SECRET_WORDS = "purge-customers"
OURS = {"sec-fetch-site": "same-origin"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def opened(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    async with await Store.open(databases.sqlite(tmp_path / "errand.db"), owner="one") as store:
        run = Run(key="k", name="", job=SECRET_WORDS, cause="comment", actor="github:octocat", created_at=0.0)
        await store.write(lambda session: runs.enqueue(session, run, [], now=clock(), nonce="abc"))
        yield store


@pytest.fixture
async def client(opened: Store, tmp_path: Path, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    site = sites.site(opened, LogStore(tmp_path / "logs", 2**20), KEYS, URL, clock, {SECRET_WORDS: "x"})
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


@pytest.fixture
async def token(opened: Store, clock: Clock) -> str:
    text = new_token()
    await opened.write(lambda session: tokens.add(session, name="ci", hash=token_hash(text), now=clock()))
    return text


async def last_used(store: Store, text: str) -> float | None:
    found = await store.read(lambda session: tokens.by_hash(session, token_hash(text)))
    assert found is not None
    return found.last_used_at


def link(path: str, clock: Clock, seconds: int = 60) -> str:
    return f"{path}?{links.sign(path, expires=int(clock()) + seconds, keys=KEYS)}"


async def test_stranger_learns_nothing_of_what_is_here(client: httpx.AsyncClient) -> None:
    there = await client.get("/runs/1")
    missing = await client.get("/runs/999")

    assert (there.status_code, missing.status_code) == (401, 401)
    assert there.text.replace("/runs/1", "/runs/N") == missing.text.replace("/runs/999", "/runs/N")
    assert {**there.headers, "content-length": ""} == {**missing.headers, "content-length": ""}
    for path in (
        "/",
        f"/jobs/{SECRET_WORDS}",
        "/jobs/none",
        "/runs/1/log",
        "/runs/1/events",
        "/builds/1",
        "/runs/x",
    ):
        answer = await client.get(path)
        assert answer.status_code == 401
        assert "octocat" not in answer.text
    assert SECRET_WORDS not in there.text
    assert "API token" in there.text


async def test_stranger_is_told_by_the_api_how_to_ask(client: httpx.AsyncClient) -> None:
    for path in (
        "/api/runs",
        "/api/runs/1",
        "/api/runs/999",
        "/api/runs/1/logs",
        "/api/builds/1",
        "/api/runs/x",
    ):
        answer = await client.get(path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["status"] == 401


async def test_link_opens_its_page_and_no_other(client: httpx.AsyncClient, clock: Clock) -> None:
    query = link("/runs/1", clock).partition("?")[2]

    assert SECRET_WORDS in (await client.get(f"/runs/1?{query}")).text
    for path in ("/", "/runs/2", "/builds/1", "/api/runs/1", "/api/runs/1/logs", f"/jobs/{SECRET_WORDS}"):
        assert (await client.get(f"{path}?{query}")).status_code == 401


async def test_link_to_what_was_removed_says_so(client: httpx.AsyncClient, clock: Clock) -> None:
    assert (await client.get(link("/runs/999", clock))).status_code == 404


async def test_link_ends(client: httpx.AsyncClient, clock: Clock) -> None:
    address = link("/runs/1", clock, seconds=60)
    assert (await client.get(address)).status_code == 200

    clock.now += 61

    assert (await client.get(address)).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token", "TOKEN"])
async def test_token_opens_pages_and_api(client: httpx.AsyncClient, token: str, scheme: str) -> None:
    headers = {"authorization": f"{scheme} {token}"}

    assert (await client.get("/runs/1", headers=headers)).status_code == 200
    assert (await client.get("/api/runs/1", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer x{token}",
        "Bearer {token}x",
        "Bearer {token} {token}",
        "token errand_wrong",
    ],
)
async def test_wrong_token_opens_nothing_whatever_else_comes_with_it(
    client: httpx.AsyncClient, token: str, authorization: str, clock: Clock
) -> None:
    headers = {"authorization": authorization.format(token=token)}

    assert (await client.get(link("/runs/1", clock), headers=headers)).status_code == 401
    assert (await client.get("/api/runs/1", headers=headers)).status_code == 401


@pytest.mark.parametrize("authorization", ["", "Basic {token}", "{token}", "Digest x", "\tBearer {token}"])
async def test_other_schemes_neither_open_nor_close_anything(
    client: httpx.AsyncClient, token: str, authorization: str, clock: Clock
) -> None:
    headers = {"authorization": authorization.format(token=token)}

    assert (await client.get("/api/runs/1", headers=headers)).status_code == 401
    assert (await client.get("/runs/1", headers=headers)).status_code == 401
    assert (await client.get(link("/runs/1", clock), headers=headers)).status_code == 200


async def test_bytes_in_the_header_are_no_token(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/runs/1", headers=[(b"authorization", b"Bearer \xff\xfe\xe9")])

    assert answer.status_code == 401


async def test_use_of_a_token_is_noted_once_a_minute(
    client: httpx.AsyncClient, opened: Store, token: str, clock: Clock
) -> None:
    headers = {"authorization": f"Bearer {token}"}
    first = clock()
    await client.get("/api/runs/1", headers=headers)
    assert await last_used(opened, token) == first

    clock.now += 59
    await client.get("/api/runs/1", headers=headers)
    assert await last_used(opened, token) == first

    clock.now += 2
    await client.get("/api/runs/1", headers=headers)
    assert await last_used(opened, token) == first + 61


async def test_login_opens_everything_for_twelve_hours(
    client: httpx.AsyncClient, token: str, clock: Clock
) -> None:
    answer = await client.post("/login", data={"token": f" {token} ", "next": "/runs/1"}, headers=OURS)

    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/1")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-errand=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert token not in cookie
    assert (await client.get("/runs/1")).status_code == 200
    assert (await client.get("/api/runs/1")).status_code == 200

    clock.now += links.SESSION_LIFE + 1
    assert (await client.get("/runs/1")).status_code == 401


async def test_login_ends_with_its_token(
    client: httpx.AsyncClient, opened: Store, token: str, clock: Clock
) -> None:
    await client.post("/login", data={"token": token}, headers=OURS)
    await opened.write(lambda session: tokens.remove(session, name="ci"))
    await opened.write(
        lambda session: tokens.add(session, name="next", hash=token_hash(new_token()), now=clock())
    )

    assert (await client.get("/")).status_code == 401


async def test_logout_ends_the_session(client: httpx.AsyncClient, token: str) -> None:
    await client.post("/login", data={"token": token}, headers=OURS)

    answer = await client.post("/logout", headers={"origin": "null"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (await client.get("/")).status_code == 401


async def test_cookie_that_was_kept_opens_nothing_after_the_logout(
    client: httpx.AsyncClient, opened: Store, token: str, clock: Clock
) -> None:
    await client.post("/login", data={"token": token}, headers=OURS)
    kept = dict(client.cookies)
    clock.now += 1
    await client.post("/login", data={"token": token}, headers=OURS)
    other = dict(client.cookies)
    client.cookies.clear()
    client.cookies.update(kept)
    for _ in range(2):  # twice does no harm
        await client.post("/logout", headers=OURS)
        client.cookies.clear()
        client.cookies.update(kept)
        assert (await client.get("/")).status_code == 401
    client.cookies.clear()
    client.cookies.update(other)
    assert (await client.get("/")).status_code == 200  # another login with the same token

    clock.now += links.SESSION_LIFE
    await opened.write(lambda session: sessions.end(session, "x", expires_at=0.0, now=clock()))
    kept_hash = token_hash(next(iter(kept.values())))
    assert not await opened.read(lambda session: sessions.has_ended(session, kept_hash))


async def test_other_sites_can_neither_log_in_nor_out(client: httpx.AsyncClient, token: str) -> None:
    for headers in (
        {"sec-fetch-site": "cross-site", "origin": URL},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ):
        answer = await client.post("/login", data={"token": token}, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        answer = await client.post("/logout", headers=headers)
        assert "set-cookie" not in answer.headers


async def test_browser_without_fetch_metadata_is_known_by_its_origin(
    client: httpx.AsyncClient, token: str
) -> None:
    answer = await client.post("/login", data={"token": token}, headers={"origin": URL})

    assert answer.status_code == 303


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\/evil", "javascript:alert(1)", "",
     "/a\nb", "/login?next=/login", "/x" * 400, "runs/1", "/\t/evil.example"],
)  # fmt: skip
async def test_login_leads_nowhere_else(client: httpx.AsyncClient, token: str, target: str) -> None:
    answer = await client.post("/login", data={"token": token, "next": target}, headers=OURS)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_local_paths_are_local() -> None:
    assert is_local_path("/runs/1?x=y")
    assert not is_local_path("/é")


async def test_form_goes_back_to_where_the_visitor_came_from(client: httpx.AsyncClient) -> None:
    answer = await client.get('/jobs/"><script>alert(1)')

    assert answer.status_code == 401
    assert "<script>alert" not in answer.text
    assert '<input type="hidden" name="next" value="/runs/1">' in (await client.get("/runs/1")).text


async def test_who_is_logged_in_need_not_do_it_again(client: httpx.AsyncClient, token: str) -> None:
    assert (await client.get("/login?next=/runs/1")).status_code == 200
    await client.post("/login", data={"token": token}, headers=OURS)

    answer = await client.get("/login?next=/runs/1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/1")


async def test_wrong_tokens_have_to_wait(client: httpx.AsyncClient, token: str, clock: Clock) -> None:
    for _ in range(MOST_FAILURES):
        answer = await client.post("/login", data={"token": "errand_wrong"}, headers=OURS)
        assert answer.status_code == 401
    answer = await client.post("/login", data={"token": token}, headers=OURS)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")

    clock.now += 61

    assert (await client.post("/login", data={"token": token}, headers=OURS)).status_code == 303


def test_memory_of_failures_is_bounded() -> None:
    failures = Failures(lambda: 0.0)
    for address in range(5000):
        failures.add(str(address))

    assert len(failures._counts) == 1024


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"token=" + b"x" * 5000, b"&".join([b"a=1"] * 50), b"token=%00"]
)
async def test_a_broken_form_is_a_wrong_token(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {**OURS, "content-type": "application/x-www-form-urlencoded"}

    assert (await client.post("/login", content=body, headers=headers)).status_code == 401


async def test_form_that_breaks_off_or_does_not_come_is_a_wrong_token(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "FORM_S", 0.05)

    async def breaks_off() -> AsyncIterator[bytes]:
        yield b"token="
        raise ClientDisconnect

    async def never_comes() -> AsyncIterator[bytes]:
        yield b"token="
        await asyncio.Event().wait()

    for body in (breaks_off, never_comes):
        assert (await client.post("/login", content=body(), headers=OURS)).status_code == 401


async def test_private_answers_are_neither_kept_nor_framed(client: httpx.AsyncClient, clock: Clock) -> None:
    for answer in (
        await client.get("/runs/1"),
        await client.get(link("/runs/1", clock)),
        await client.get("/login"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
    assert (await client.get(link("/runs/1", clock))).headers["referrer-policy"] == "same-origin"


async def test_installation_without_tls_has_a_cookie_that_works_there(
    opened: Store, tmp_path: Path, clock: Clock, token: str
) -> None:
    address = "http://127.0.0.1:8000"
    site = sites.site(opened, LogStore(tmp_path / "logs", 2**20), KEYS, address, clock)
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    async with httpx.AsyncClient(transport=transport, base_url=address) as client:
        answer = await client.post("/login", data={"token": token}, headers={"origin": address})

        assert answer.headers["set-cookie"].startswith("errand=")
        assert "secure" not in answer.headers["set-cookie"].lower()
        assert (await client.get("/")).status_code == 200


def test_site_without_a_key_does_not_start(opened: Store, tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ValueError, match="no key"):
        sites.site(opened, LogStore(tmp_path, 2**20), (), URL, clock)
