"""Workflows at the served API: what a token of GitHub's opens, and that it opens nothing else."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from demo.github.actions import Key
from demo.installation import Installation, Where
from demo.watched import PATIENCE
from webhooks.api.operation import Needs
from webhooks.api.operations import OPERATIONS

HERE = Path(__file__).parent
OWN = {"/api/jobs/{name}/start", "/api/runs/{number}", "/api/runs/{number}/logs", "/api/runs/{number}/cancel"}


@pytest.fixture
def where() -> Where:
    return Where(config=HERE / "actions.yaml", sample=HERE.parent / "repository")


@pytest.fixture
async def client(errand: Installation) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=errand.url, trust_env=False, timeout=PATIENCE) as made:
        yield made


def _as(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def _ended(client: httpx.AsyncClient, path: str, token: str) -> None:
    """Return when the run has ended: its log has then, too."""
    answer = await client.get(f"{path}/logs?follow=1", headers=_as(token))
    assert answer.status_code == 200


async def test_token_serves_for_start_log_and_end(errand: Installation, client: httpx.AsyncClient) -> None:
    token = errand.beside.github.actions.token(errand.url)
    made = await client.post("/api/jobs/hello/start", json={"parameters": {"NAME": "x"}}, headers=_as(token))
    assert made.status_code == 201
    path = f"/api/runs/{made.json()['number']}"
    assert "Hello, x" in (await client.get(f"{path}/logs?follow=1", headers=_as(token))).text
    assert (await client.get(path, headers=_as(token))).json()["actor"] == "actions:acme/shop@refs/heads/main"
    assert (await client.post(f"{path}/cancel", headers=_as(token))).status_code == 200


async def test_nothing_else_of_the_api_is_open(errand: Installation, client: httpx.AsyncClient) -> None:
    """Also of what is about its own run and its own job."""
    token = errand.beside.github.actions.token(errand.url)
    await client.post("/api/jobs/hello/start", headers=_as(token))
    await _ended(client, "/api/runs/1", token)
    for each in OPERATIONS:
        if each.path in OWN and each.method != "DELETE":
            continue
        if each.needs is Needs.NOTHING:  # which is there for whoever has no token yet
            continue
        path = re.sub(r"\{(\w+)\}", lambda part: "1" if part[1] == "number" else "hello", each.path)
        answer = await client.request(each.method, path, headers=_as(token), json={})
        assert answer.status_code in (401, 403), (each.method, path)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_pages_know_no_workflow(errand: Installation, client: httpx.AsyncClient) -> None:
    token = errand.beside.github.actions.token(errand.url)
    await client.post("/api/jobs/hello/start", headers=_as(token))
    for path in ("/", "/jobs/hello", "/runs/1"):
        answer = await client.get(path, headers=_as(token))
        assert answer.status_code == 401
        assert "Sign in" in answer.text


async def test_runs_of_others_are_not_there(errand: Installation, client: httpx.AsyncClient) -> None:
    actions = errand.beside.github.actions
    main = actions.token(errand.url)
    other = actions.token(
        errand.url, repository="acme/web", environment="production", repository_id="7", ref="refs/heads/x"
    )
    assert (await client.post("/api/jobs/production/start", headers=_as(other))).status_code == 201
    assert (await client.post("/api/jobs/hello/start", headers=_as(main))).status_code == 201
    for token, number in ((main, 1), (other, 2), (main, 99)):
        for method, path in (("GET", ""), ("GET", "/logs"), ("POST", "/cancel")):
            answer = await client.request(method, f"/api/runs/{number}{path}", headers=_as(token))
            assert answer.status_code == 404
            assert answer.json()["detail"] == f"There is no run #{number}."


async def test_run_of_a_job_that_lets_it_in_no_more_is_not_there(
    errand: Installation, client: httpx.AsyncClient
) -> None:
    actions = errand.beside.github.actions
    with_environment = actions.token(errand.url, environment="production")
    assert (await client.post("/api/jobs/production/start", headers=_as(with_environment))).status_code == 201
    without = actions.token(errand.url)  # of the same name, and yet another
    assert (await client.get("/api/runs/1", headers=_as(without))).status_code == 404


async def test_same_key_starts_one_run_and_another_request_with_it_none(
    errand: Installation, client: httpx.AsyncClient
) -> None:
    actions = errand.beside.github.actions

    async def start(name: str) -> httpx.Response:
        headers = _as(actions.token(errand.url)) | {"Idempotency-Key": "actions/1/1/deploy/x"}
        return await client.post(
            "/api/jobs/hello/start", json={"parameters": {"NAME": name}}, headers=headers
        )

    answers = await asyncio.gather(*(start("x") for _ in range(5)))
    assert {answer.json()["number"] for answer in answers} == {1}
    assert sorted(answer.status_code for answer in answers)[-1] == 201
    assert (await start("y")).status_code == 409


async def test_bad_tokens_are_nobodys(errand: Installation, client: httpx.AsyncClient) -> None:
    actions = errand.beside.github.actions
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    bad = {
        actions.token("https://other.example.com"): "audience",
        actions.token(errand.url, iss="https://other.example.com"): "issuer",
        actions.token(errand.url, iat=1_000_000_000, nbf=1_000_000_000, exp=1_000_000_300): "expired",
        actions.sign(actions.claims(errand.url), key=Key("unknown", actions.keys[-1].private)): "no such key",
        actions.token(errand.url)[:-21]: "no token of GitHub Actions",
        actions.token(errand.url, ref="refs/heads/x").rpartition(".")[0]
        + "."
        + actions.token(errand.url).rpartition(".")[2]: "signature",
        unsigned: "RS256",
        actions.token(errand.url, padding="x" * 10_000): "too long",
    }
    for token, why in bad.items():
        answer = await client.post("/api/jobs/hello/start", headers=_as(token))
        assert answer.status_code == 401
        assert why in answer.json()["detail"]
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not any(token[20:] in str(errand.events) for token in bad if token != unsigned)


async def test_without_keys_nobody_is_let_in(errand: Installation, client: httpx.AsyncClient) -> None:
    errand.beside.github.fail("jwks", 500, times=100)
    token = errand.beside.github.actions.token(errand.url)
    answer = await client.post("/api/jobs/hello/start", headers=_as(token))
    assert answer.status_code == 503
    assert "keys of GitHub Actions" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


async def test_known_keys_let_in_while_the_issuer_is_away(
    errand: Installation, client: httpx.AsyncClient
) -> None:
    actions = errand.beside.github.actions
    assert (
        await client.post("/api/jobs/hello/start", headers=_as(actions.token(errand.url)))
    ).status_code == 201
    errand.beside.github.fail("jwks", 500, times=100)
    assert (
        await client.post("/api/jobs/hello/start", headers=_as(actions.token(errand.url)))
    ).status_code == 201
