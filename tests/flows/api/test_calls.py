"""Programs start, stop and repeat runs, and call deploy hooks, over HTTP and against the real service."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.installation import Installation, Where
from demo.watched import PATIENCE

HERE = Path(__file__).parent
PROBLEM = "application/problem+json"


@pytest.fixture
def where() -> Where:
    return Where(config=HERE / "calls.yaml", sample=HERE.parent / "repository")


@pytest.fixture
async def boss(errand: Installation) -> AsyncIterator[httpx.AsyncClient]:
    token = await errand.token("boss", "admin")
    async with httpx.AsyncClient(
        base_url=errand.url, headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE, trust_env=False
    ) as client:
        yield client


async def hook(boss: httpx.AsyncClient, job: str, name: str = "ci") -> str:
    made = await boss.post("/api/hooks", json={"job": job, "name": name})
    assert made.status_code == 201, made.text
    text: str = made.json()["token"]
    return text


async def call(errand: Installation, path: str, token: str, **more: Any) -> httpx.Response:
    headers = {"x-deploy-hook-token": token, **more.pop("headers", {})}
    async with httpx.AsyncClient(base_url=errand.url, timeout=PATIENCE, trust_env=False) as client:
        return await client.post(path, headers=headers, **more)


async def test_run_is_started_repeated_and_stopped(errand: Installation, boss: httpx.AsyncClient) -> None:
    started = await boss.post("/api/jobs/hello/start", json={"parameters": {"WHO": "Ada"}})
    assert started.status_code == 201, started.text
    run = started.json()
    assert started.headers["location"] == f"{errand.url}/api/runs/1"
    assert (run["number"], run["actor"], run["cause"]) == (1, "token:boss", "api")
    await errand.wait_for(lambda: errand.ended([1]))
    assert (await boss.get("/api/runs/1/logs")).text == "hello Ada\n"
    again = (await boss.post("/api/runs/1/rerun", json={"parameters": {"WHO": "Bob"}})).json()
    assert (again["rerun_of"], again["parameters"]) == (1, {"WHO": "Bob"})
    assert (await boss.post("/api/jobs/built/start", json={"ref": "main"})).json()["commit"] is not None
    gated = await boss.post("/api/jobs/gated/start", json={"parameters": {"GATE": "/nowhere"}})
    number = gated.json()["number"]
    assert (await boss.post(f"/api/runs/{number}/cancel")).status_code == 200
    await errand.wait_for(lambda: errand.ended([number]))
    ended = await boss.post(f"/api/runs/{number}/cancel", json={})
    assert (ended.json()["result"], ended.json()["state"]) == ("cancelled", "finished")


async def test_one_key_makes_one_run_however_many_ask_at_once(
    errand: Installation, boss: httpx.AsyncClient
) -> None:
    body, headers = {"parameters": {"GATE": str(errand.home / "gate")}}, {"idempotency-key": "deploy-7"}
    path = "/api/jobs/alone/start"
    answers = await asyncio.gather(*(boss.post(path, json=body, headers=headers) for _ in range(30)))
    assert sorted(each.status_code for each in answers) == [200] * 29 + [201]
    assert {each.json()["number"] for each in answers} == {1}
    other = await boss.post(path, json={"parameters": {"GATE": "/other"}}, headers=headers)
    assert (other.status_code, other.headers["content-type"]) == (409, PROBLEM)
    assert (await boss.post(path, json=body)).status_code == 409  # the job wants to be alone
    await errand.kill()
    await errand.start()
    assert (await boss.post(path, json=body, headers=headers)).json()["number"] == 1
    (errand.home / "gate").touch()
    await errand.wait_for(lambda: errand.ended([1]))


BAD_BODIES = {
    b"{": 400,
    b'{"parameters": {"WHO": "a", "WHO": "b"}}': 422,
    b'{"parameters": {"WHAT": "a"}}': 422,
    b'{"unknown": 1}': 422,
    b"[" * 100_00 + b"]" * 100_00: 400,
    b'{"a":' * 5000 + b"1" + b"}" * 5000: 400,
    b'{"parameters": {"WHO": "\\u0000"}}': 422,
    b'{"ref": "main", "image_tag": "1"}': 422,
    b'{"image_tag": "a:b@c"}': 422,
    b"\xff": 400,
}


async def test_bad_bodies_start_nothing(errand: Installation, boss: httpx.AsyncClient) -> None:
    token, headers = await hook(boss, "hello"), {"content-type": "application/json"}
    for content, status in BAD_BODIES.items():
        for answer in (
            await boss.post("/api/jobs/hello/start", content=content, headers=headers),
            await call(errand, "/hooks/hello", token, content=content, headers=headers),
        ):
            told = (answer.status_code, answer.headers["content-type"])
            assert told == (status, PROBLEM), content[:40]
    assert (await boss.get("/api/runs")).json()["runs"] == []


async def test_body_of_ten_megabytes_is_refused_before_it_is_read(
    errand: Installation, boss: httpx.AsyncClient
) -> None:
    token, length = await hook(boss, "hello"), {"content-length": str(10_000_000)}
    host, port = errand.url.removeprefix("http://").split(":")
    for path, name, text in (
        ("/api/jobs/hello/start", "authorization", boss.headers["authorization"]),
        ("/hooks/hello", "x-deploy-hook-token", token),
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        head = {"host": "x", "content-type": "application/json", name: text, **length}
        lines = [f"POST {path} HTTP/1.1", *(f"{key}: {value}" for key, value in head.items())]
        writer.write("\r\n".join([*lines, "", "{"]).encode())
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 413 ")
    assert (await boss.get("/api/runs")).json()["runs"] == []


async def test_hook_starts_its_job_waits_and_is_listed(errand: Installation, boss: httpx.AsyncClient) -> None:
    token = await hook(boss, "hello")
    assert (await boss.post("/api/hooks", json={"job": "hello", "name": "ci"})).status_code == 409
    assert (await boss.post("/api/hooks", json={"job": "nothing", "name": "ci"})).status_code == 404
    headers = {"user-agent": "deployer/1"}
    body = {"parameters": {"WHO": "Ada"}}
    answer = await call(errand, "/hooks/hello?wait=60", token, json=body, headers=headers)
    assert (answer.status_code, answer.json()["result"]) == (201, "succeeded")
    assert answer.headers["location"] == f"{errand.url}/api/runs/1"
    assert (answer.json()["actor"], answer.json()["cause"]) == ("hook:hello/ci", "hook")
    bearer = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=errand.url, trust_env=False) as client:
        assert (await client.post("/hooks/hello", headers=bearer)).status_code == 201
    listed = await boss.get("/api/hooks")
    (told,) = listed.json()["hooks"]
    assert (told["last_used_by"].startswith("127.0.0.1 "), told["created_by"]) == (True, "token:boss")
    assert token not in listed.text
    stored = b"".join(path.read_bytes() for path in errand.home.glob("errand.db*"))
    assert token.encode() not in stored
    assert not any(token in json.dumps(event) for event in errand.events)
    assert (await boss.delete("/api/hooks/hello/ci")).status_code == 204
    assert (await call(errand, "/hooks/hello", token)).status_code == 401
    assert (await boss.delete("/api/hooks/hello/ci")).status_code == 404


async def test_waiting_ends_when_the_time_is_up_or_the_service_stops(
    errand: Installation, boss: httpx.AsyncClient
) -> None:
    token, body = await hook(boss, "gated"), {"parameters": {"GATE": "/nowhere"}}
    answer = await call(errand, "/hooks/gated?wait=1", token, json=body)
    assert (answer.status_code, answer.json()["result"]) == (201, None)
    assert (await call(errand, "/hooks/gated?wait=601", token, json=body)).status_code == 400
    waiting = asyncio.create_task(call(errand, "/hooks/gated?wait=600", token, json=body))
    await errand.wait_for(lambda: errand.has_logged("run.running", 2))
    assert await errand.stop() == 0
    assert (await waiting).json()["number"] == 2
    await errand.start()
    for number in (1, 2):
        await boss.post(f"/api/runs/{number}/cancel")
    await errand.wait_for(lambda: errand.ended([1, 2]))


async def test_hook_opens_nothing_but_its_job(errand: Installation, boss: httpx.AsyncClient) -> None:
    token = await hook(boss, "hello")
    answers = [
        await call(errand, "/hooks/fails", token),
        await call(errand, "/hooks/nothing", token),
        await call(errand, "/hooks/hello", token[:-1]),
        await call(errand, "/hooks/hello", token + "x" * 10_000),
        await call(errand, "/hooks/hello", token.upper()),
        await call(errand, "/hooks/hello", token, headers={"authorization": "Bearer other"}),
        await call(errand, "/hooks/hello", "", content=b"x" * 100_000),
        await call(errand, "/hooks/hello", boss.headers["authorization"].split()[1]),
    ]
    assert [each.status_code for each in answers] == [401] * len(answers)
    assert len({each.text for each in answers}) == 1
    for path in ("/hooks/../hello", "/hooks/hello%2f..%2ffails", "/hooks/hello/x", "/hooks/", "/hooks/%00"):
        assert (await call(errand, path, token)).status_code in (401, 404)
    bearer = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=errand.url, trust_env=False, headers=bearer) as client:
        assert (await client.get("/api/runs")).status_code == 401
        assert (await client.post("/api/jobs/hello/start")).status_code == 401
    assert (await boss.get("/api/runs")).json()["runs"] == []


async def test_only_the_tag_is_wanted_with_run_false_and_processes_have_none(
    errand: Installation, boss: httpx.AsyncClient
) -> None:
    token = await hook(boss, "hello")
    without = await call(errand, "/hooks/hello?run=false", token)
    assert (without.status_code, without.json()["errors"][0]["pointer"]) == (422, "#/imageTag")
    refused = await call(errand, "/hooks/hello?run=false", token, json={"imageTag": "1"})
    assert (refused.status_code, "containers" in refused.json()["detail"]) == (409, True)
    wrong = await call(errand, "/hooks/hello", token, json={"imageTag": "1"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/imageTag")
    assert (await boss.get("/api/runs")).json()["runs"] == []
    single = await boss.post(
        "/api/exec", json={"image": "shop", "command": ["sh", "-c", "git rev-parse HEAD"]}
    )
    assert single.status_code == 201, single.text
    number = single.json()["number"]
    await errand.wait_for(lambda: errand.ended([number]))
    log = await boss.get(f"/api/runs/{number}/logs")
    run = (await boss.get(f"/api/runs/{number}")).json()
    assert (run["result"], log.text.strip()) == ("succeeded", run["commit"])
