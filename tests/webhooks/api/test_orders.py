"""Locks, builds, skipped times and stops by name over real HTTP: what they do, and for whom."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.messages import waiting_for
from bot.store import builds, locks, runs, tokens, transitions
from bot.tables import Lock
from tests.bot.house import House, house
from tests.webhooks.whole import served
from webhooks.access import new_token, token_hash

JOBS = """
  ship: {image: shop, command: "true", lock: prod}
  move: {command: "true", lock: prod}
  hidden: {command: "true", lock: vault}
  nightly: {command: "true", schedule: {cron: "30 3 * * *"}}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house with locks and a schedule."""
    async with house(tmp_path, jobs=JOBS) as made:
        yield made


@asynccontextmanager
async def asking(home: House, client: httpx.AsyncClient, *scopes: str) -> AsyncIterator[httpx.AsyncClient]:
    """Another client of the same house, with a token of its own."""
    text = new_token()
    name = "-".join(scopes).replace(":", "-").replace("*", "all")
    await home.write(
        lambda s: tokens.add(s, name=name, hash=token_hash(text), now=home.now, scopes=list(scopes))
    )
    async with httpx.AsyncClient(
        base_url=client.base_url, headers={"authorization": f"Bearer {text}"}, timeout=30, trust_env=False
    ) as made:
        yield made


async def lock(home: House, target: str) -> Lock | None:
    return await home.store.read(lambda s: locks.get(s, target, now=home.now))


async def test_lock_keeps_runs_back_and_says_who_locked(home: House) -> None:
    async with served(home, "run:move") as client:
        answer = await client.put(
            "/api/locks/prod", json={"reason": "a sale", "duration": "2h", "everyone": True}
        )
        assert answer.status_code == 200, answer.text
        closed = answer.json()["closed"]
        assert (closed["actor"], closed["reason"]) == ("token:ci", "a sale")
        assert "`prod` is locked until" in answer.json()["text"]
        assert "`errand unlock prod` opens it" in answer.json()["text"]
        number = (await client.post("/api/jobs/move/start")).json()["number"]
        shown = (await client.get(f"/api/runs/{number}")).json()["waiting_for"]
        assert shown == waiting_for(await home.run(number))
        assert shown.startswith("the lock prod, closed by ci")

        answer = await client.delete("/api/locks/prod")
        assert answer.json() == {"target": "prod", "text": "`prod` is open again."}
        assert (await home.run(number)).waiting_for is None
        assert (await client.delete("/api/locks/prod")).status_code == 404


async def test_lock_of_somebody_else_is_told_and_opened_by_whoever_may(home: House) -> None:
    await home.says('/job lock prod "moving"')
    async with served(home, "run:move") as client:
        answer = await client.put("/api/locks/prod")
        assert answer.status_code == 409
        assert "is locked by `octocat` already: moving" in answer.json()["detail"]
        assert (await client.delete("/api/locks/prod")).status_code == 200
    assert await lock(home, "prod") is None


async def test_locking_takes_the_right_to_run_a_job_that_it_concerns(home: House) -> None:
    """And whoever has not got it learns nothing of what there is to lock."""
    async with served(home, "run:plain", "read") as client:
        refusals = [
            await client.request(method, f"/api/locks/{target}")
            for target in ("prod", "vault", "hidden", "nothing", "vaul")
            for method in ("PUT", "DELETE")
        ]
        assert {answer.status_code for answer in refusals} == {403}
        assert len({answer.text for answer in refusals}) == 1
        async with asking(home, client, "read") as reader, asking(home, client, "exec") as other:
            for each in (reader, other):
                assert (await each.put("/api/locks/prod")).status_code == 403
    assert await lock(home, "prod") is None


async def test_whoever_may_run_everything_is_told_what_was_probably_meant(home: House) -> None:
    old = Lock(target="old", actor="github:octocat", created_at=home.now)
    await home.write(lambda s: locks.add(s, old, now=home.now))
    async with served(home, "run:*") as client:
        answer = await client.put("/api/locks/prd")
        assert (answer.status_code, "Did you mean `prod`?" in answer.json()["detail"]) == (404, True)
        assert (await client.delete("/api/locks/old")).status_code == 200  # which no job names any more


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "x" * 201},
        {"reason": ""},
        {"reason": "a\nb"},
        {"reason": "a\u202eb"},
        {"duration": "0s"},
        {"duration": "367d"},
        {"duration": "soon"},
        {"until": "23:00"},
    ],
)
async def test_lock_that_cannot_be_is_refused_at_its_place(home: House, body: dict[str, str]) -> None:
    async with served(home, "admin") as client:
        answer = await client.put("/api/locks/prod", json=body)
        assert answer.status_code == 422, answer.text
        assert [each["pointer"] for each in answer.json()["errors"]] == [f"#/{next(iter(body))}"]
    assert await lock(home, "prod") is None


async def test_image_is_built_once_per_commit_and_seen_by_who_ordered_it(home: House) -> None:
    async with served(home, "run:check") as client:
        first = await client.post("/api/images/shop/build")
        assert first.status_code == 201, first.text
        build = first.json()
        assert (build["image"], build["actor"], build["cause"]) == ("shop", "token:ci", "api")
        assert "is on its way" in build["text"]
        assert first.headers["location"].endswith(f"/api/builds/{build['number']}")
        assert (await client.get(f"/api/builds/{build['number']}")).status_code == 200
        again = await client.post("/api/images/shop/build", json={"ref": "main"})
        assert (again.status_code, again.json()["number"]) == (200, build["number"])
        async with asking(home, client, "run:publish") as other:
            assert (await other.get(f"/api/builds/{build['number']}")).status_code == 404
    assert (await home.store.read(lambda s: builds.get(s, build["number"]))) is not None


async def test_building_takes_the_right_to_run_a_job_in_the_image(home: House) -> None:
    async with served(home, "run:publish", "read") as client:
        refusals = [await client.post(f"/api/images/{name}/build") for name in ("shop", "shup", "none")]
        assert {answer.status_code for answer in refusals} == {403}
        assert len({answer.text for answer in refusals}) == 1
        async with asking(home, client, "run:*") as other:
            assert "Did you mean `shop`?" in (await other.post("/api/images/shup/build")).json()["detail"]
            answer = await other.post("/api/images/shop/build", json={"ref": "nowhere"})
        assert [each["pointer"] for each in answer.json()["errors"]] == ["#/ref"]


async def test_job_explains_itself_to_who_sees_it(home: House) -> None:
    async with served(home, "run:plain") as client:
        text = (await client.get("/api/jobs/plain/help")).json()["text"]
        assert text.startswith("`errand run plain`: ")
        assert "`WHO`" in text
        assert (await client.get("/api/jobs/plain/help?page=0")).status_code == 400
        assert (await client.get("/api/jobs/move/help")).status_code == 403


async def test_next_time_of_a_schedule_is_left_out(home: House) -> None:
    async with served(home, "run:nightly", "run:plain") as client:
        answer = await client.post("/api/jobs/nightly/skip")
        assert "`nightly` leaves out" in answer.json()["text"]
        schedule = (await client.get("/api/jobs/nightly")).json()["schedule"]
        assert (schedule["skipped_by"], schedule["skipped"] is not None) == ("ci", True)
        assert (await client.post("/api/jobs/nightly/skip")).status_code == 409
        assert (await client.post("/api/jobs/plain/skip")).status_code == 409  # it has no schedule
        assert (await client.post("/api/jobs/move/skip")).status_code == 403
        assert (await client.post("/api/jobs/nightly/pause", json={"duration": "367d"})).status_code == 422


async def test_one_run_of_a_job_is_stopped_and_of_several_none(home: House) -> None:
    async with served(home, "run:move") as client:
        assert (await client.post("/api/jobs/move/cancel")).status_code == 404
        first = (await client.post("/api/jobs/move/start")).json()["number"]
        answer = await client.post("/api/jobs/move/cancel")
        assert (answer.status_code, answer.json()["number"]) == (200, first)
        assert (await home.run(first)).stop_by == "token:ci"

        second, third = [(await client.post("/api/jobs/move/start")).json()["number"] for _ in range(2)]
        answer = await client.post("/api/jobs/move/cancel")
        assert answer.status_code == 409
        assert "none was stopped" in answer.json()["detail"]
        for number in (second, third):
            assert f"#{number}" in answer.json()["detail"].replace("\u200b", "")
            assert (await home.run(number)).stop_by is None


async def test_what_somebody_has_started_is_meant_before_what_others_have(home: House) -> None:
    async with served(home, "run:move") as client, asking(home, client, "run:*") as other:
        await other.post("/api/jobs/move/start")
        await other.post("/api/jobs/plain/start")
        assert (await client.post("/api/cancel")).status_code == 404
        mine = (await client.post("/api/jobs/move/start")).json()["number"]
        assert (await client.post("/api/jobs/move/cancel")).json()["number"] == mine
        mine = (await client.post("/api/jobs/move/start")).json()["number"]
        assert (await client.post("/api/cancel")).json()["number"] == mine
        assert (await client.post("/api/jobs/plain/cancel")).status_code == 403
        async with asking(home, client, "read") as reader:
            assert (await reader.post("/api/cancel")).status_code == 403
    stopped = await home.store.read(lambda s: [run.number for run in runs.page(s) if run.stop_by])
    assert len(stopped) == 2


async def test_what_somebody_has_started_last_runs_again_once_per_key(home: House) -> None:
    async with served(home, "run:plain") as client, asking(home, client, "run:*") as other:
        await other.post("/api/jobs/move/start")
        assert (await client.post("/api/rerun")).status_code == 404
        first = (await client.post("/api/jobs/plain/start", json={"parameters": {"WHO": "ada"}})).json()
        await other.post("/api/jobs/plain/start")
        key = {"idempotency-key": "once"}
        answers = [await client.post("/api/rerun", headers=key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 200]
        again = answers[1].json()
        assert (again["rerun_of"], again["parameters"]) == (first["number"], {"WHO": "ada"})
        assert again["number"] == answers[0].json()["number"]


async def test_name_that_a_token_may_not_see_is_proposed_to_nobody(home: House) -> None:
    async with served(home, "run:plan", "run:hiden") as client:
        for name in ("plan", "hiden"):
            for what in ("plan", "pause", "resume", "skip", "cancel"):
                answer = await client.post(f"/api/jobs/{name}/{what}")
                assert answer.status_code == 404, what
                assert "Did you mean" not in answer.text
            assert "Did you mean" not in (await client.get(f"/api/jobs/{name}/why")).text


async def test_what_is_being_stopped_already_is_not_meant_again(home: House) -> None:
    async with served(home, "run:move") as client:
        first, second = [(await client.post("/api/jobs/move/start")).json()["number"] for _ in range(2)]
        await home.write(lambda s: transitions.RUNS.ask_to_stop(s, first, by="token:ci", now=1.0))
        assert (await client.post("/api/jobs/move/cancel")).json()["number"] == second
