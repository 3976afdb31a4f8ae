"""Tokens and their scopes, plans, reasons and pauses: what programs ask a running Errand."""

from collections.abc import AsyncIterator

import httpx
import pytest

from demo.installation import Installation
from demo.watched import PATIENCE


def pointers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [each["pointer"] for each in answer.json()["errors"]]


@pytest.fixture
async def boss(errand: Installation) -> AsyncIterator[httpx.AsyncClient]:
    """An admin."""
    token = await errand.token("boss", "admin")
    async with httpx.AsyncClient(
        base_url=errand.url, headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE
    ) as made:
        yield made


async def test_plan_tells_what_a_start_would_do_and_starts_nothing(boss: httpx.AsyncClient) -> None:
    answer = await boss.post("/api/jobs/hello/plan", json={"parameters": {"NAME": "ada", "COUNT": 2}})
    assert answer.status_code == 200, answer.text
    assert "`NAME=ada`" in answer.json()["text"]
    assert "`boss (API token)` may run jobs of `acme/shop`" in answer.json()["text"]
    assert (await boss.get("/api/runs")).json() == {"runs": [], "next": None}
    assert (await boss.post("/api/jobs/plain/plan")).status_code == 200  # of no repository at all


async def test_plan_of_what_does_not_fit_says_which_fields(boss: httpx.AsyncClient) -> None:
    body = {"parameters": {"NAME": "A!", "WHAT": "x", "COUNT": 0}}
    answer = await boss.post("/api/jobs/hello/plan", json=body)
    assert sorted(pointers(answer)) == ["#/parameters/COUNT", "#/parameters/NAME", "#/parameters/WHAT"]
    assert pointers(await boss.post("/api/jobs/hello/plan", json={"ref": "nowhere"})) == ["#/ref"]
    assert pointers(await boss.post("/api/jobs/hello/plan", json={"arguments": ["x"]})) == ["#/arguments"]


async def test_why_tells_what_kept_a_job_from_running(boss: httpx.AsyncClient) -> None:
    answer = await boss.get("/api/jobs/nightly/why")
    assert answer.status_code == 200, answer.text
    assert "nightly" in answer.json()["text"]


async def test_schedule_is_paused_and_resumed(boss: httpx.AsyncClient) -> None:
    paused = await boss.post("/api/jobs/nightly/pause", json={"duration": "2h"})
    assert paused.status_code == 200, paused.text
    schedule = (await boss.get("/api/jobs/nightly")).json()["schedule"]
    assert schedule["paused_by"] == "boss"
    assert schedule["paused_until"] is not None

    assert (await boss.post("/api/jobs/nightly/resume")).status_code == 200
    assert (await boss.get("/api/jobs/nightly")).json()["schedule"]["paused_by"] is None
    assert (await boss.post("/api/jobs/nightly/resume")).status_code == 409


async def test_pause_of_what_cannot_be_paused_says_why(boss: httpx.AsyncClient) -> None:
    assert (await boss.post("/api/jobs/hello/pause")).status_code == 409  # it has no schedule
    assert pointers(await boss.post("/api/jobs/nightly/pause", json={"duration": "never"})) == ["#/duration"]
    both = {"duration": "2h", "until": "23:00"}
    assert pointers(await boss.post("/api/jobs/nightly/pause", json=both)) == ["#/duration"]
    assert pointers(await boss.post("/api/jobs/nightly/pause", json={"until": "yesterday"})) == ["#/until"]


async def test_path_tricks_lead_nowhere(boss: httpx.AsyncClient) -> None:
    for name in ("none", "%2e%2e", "..%2Fplain", "plain%00", "PLAIN", "a" * 5000, "%F0%9F%98%80"):
        for path in (f"/api/jobs/{name}/plan", f"/api/jobs/{name}/pause", f"/api/jobs/{name}/resume"):
            answer = await boss.post(path)
            assert answer.status_code in (404, 405), (path, answer.text)
        assert (await boss.get(f"/api/jobs/{name}/why")).status_code == 404, name


async def test_token_of_one_job_sees_and_asks_of_that_job_only(
    errand: Installation, boss: httpx.AsyncClient
) -> None:
    await errand.comment("/job run hello\n/job run nightly")
    await errand.wait_for(lambda: errand.ended([1, 2]))
    made = await boss.post("/api/tokens", json={"name": "ci", "scopes": ["run:hello"], "expires": "1h"})
    headers = {"authorization": f"Bearer {made.json()['token']}"}
    async with httpx.AsyncClient(base_url=errand.url, headers=headers, timeout=PATIENCE) as ci:
        assert [run["job"] for run in (await ci.get("/api/runs")).json()["runs"]] == ["hello"]
        assert (await ci.get("/api/runs?job=nightly")).json()["runs"] == []
        assert [job["name"] for job in (await ci.get("/api/jobs")).json()["jobs"]] == ["hello"]
        seen = {path: (await ci.get(path)).status_code for path in SEEN}
        assert seen == SEEN
        for path, status in ASKED.items():
            assert (await ci.post(path, json={})).status_code == status, path
        missing, other = await ci.get("/api/runs/99"), await ci.get("/api/runs/2")
        assert missing.json()["detail"] == other.json()["detail"].replace("#2", "#99")


SEEN = {
    "/api/openapi.json": 200,
    "/api/": 200,
    "/": 403,
    "/runs/1": 403,
    "/api/jobs/hello": 200,
    "/api/jobs/nightly": 403,
    "/api/jobs/none": 403,
    "/api/jobs/hello/why": 200,
    "/api/runs/1": 200,
    "/api/runs/1/logs": 200,
    "/api/runs/2": 404,
    "/api/runs/2/logs": 404,
    "/api/builds/1": 200,
    "/api/builds/1/logs": 200,
    "/api/builds/9": 404,
    "/api/locks": 403,
    "/api/tokens": 403,
}
ASKED = {
    "/api/jobs/hello/plan": 200,
    "/api/jobs/nightly/plan": 403,
    "/api/jobs/none/plan": 403,
    "/api/jobs/nightly/pause": 403,
    "/api/tokens": 403,
}


async def test_token_that_was_deleted_is_nobody_at_once(
    errand: Installation, boss: httpx.AsyncClient
) -> None:
    made = (await boss.post("/api/tokens", json={"name": "ci", "scopes": ["read", "run:*"]})).json()
    headers = {"authorization": f"Bearer {made['token']}"}
    assert (await boss.get("/api/runs", headers=headers)).status_code == 200
    assert (await boss.delete("/api/tokens/ci")).status_code == 204
    assert (await boss.get("/api/runs", headers=headers)).status_code == 401
    assert (await boss.delete("/api/tokens/ci")).status_code == 404
