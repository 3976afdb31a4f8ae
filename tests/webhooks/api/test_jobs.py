"""Jobs over the API: what their list tells, and that no number without an end is taken."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from structlog.testing import capture_logs

from bot.states import TickOutcome
from bot.tables import Tick
from tests.bot.house import house
from tests.webhooks.whole import served


async def test_number_without_an_end_is_told_with_its_place(tmp_path: Path) -> None:
    headers = {"content-type": "application/json"}
    async with house(tmp_path) as home, served(home, "admin") as client:
        for number in ("1e999", "1" * 400, "-" + "1" * 4000, str(2**63)):
            body = f'{{"command": "true", "keep": {number}}}'
            answer = await client.put("/api/jobs/long", content=body, headers=headers)
            assert answer.status_code == 422, answer.text
            assert [each["pointer"] for each in answer.json()["errors"]] == ["#/keep"]


async def test_list_tells_what_comes_next_who_holds_it_back_and_the_newest_run(tmp_path: Path) -> None:
    timed = {"command": "true", "schedule": {"cron": "30 3 * * *"}}
    async with house(tmp_path) as home, served(home, "admin") as client:
        for name in ("free", "held"):
            assert (await client.put(f"/api/jobs/{name}", json=timed)).status_code == 201
        assert (await client.post("/api/jobs/held/pause", json={})).status_code == 200
        for _ in range(2):
            assert (await client.post("/api/jobs/plain/start")).status_code == 201

        listed = {each["name"]: each for each in (await client.get("/api/jobs")).json()["jobs"]}
        alone = (await client.get("/api/jobs/plain")).json()

    assert listed["plain"]["schedule"] is None
    assert listed["plain"]["last_run"]["number"] == 2
    assert listed["plain"]["last_run"] == alone["last_run"]
    assert (listed["free"]["last_run"], listed["free"]["schedule"]["paused_by"]) == (None, None)
    assert [at[10:] for at in listed["free"]["schedule"]["next"]] == ["T03:30:00.000Z"]
    assert listed["held"]["schedule"]["next"] == []
    assert listed["held"]["schedule"]["paused_by"] == "ci"


async def test_job_tells_what_became_of_its_due_moments_whatever_that_is(tmp_path: Path) -> None:
    jobs = 'timed: {command: "true", schedule: {cron: "30 3 * * *"}}'
    async with house(tmp_path, jobs=jobs) as home, served(home, "admin") as client:
        moments = [
            Tick(job="timed", at=home.now - age, outcome=outcome, decided_at=home.now)
            for age, outcome in enumerate(TickOutcome)
        ]
        await home.write(lambda s: s.add_all(moments))
        ticks = (await client.get("/api/jobs/timed")).json()["schedule"]["ticks"]
    assert {each["outcome"] for each in ticks} == {*TickOutcome}


async def test_list_asks_the_database_as_often_for_many_jobs_as_for_few(tmp_path: Path) -> None:
    timed = {"command": "true", "schedule": {"cron": "30 3 * * *"}}
    asked: list[str] = []

    def listen(*event: Any) -> None:
        asked.append(event[2])

    async with house(tmp_path) as home, served(home, "admin") as client:
        event.listen(Engine, "before_cursor_execute", listen)
        try:
            counts = []
            for _ in range(2):
                asked.clear()
                await client.get("/api/jobs")
                counts.append(len(asked))
                for n in range(5):
                    await client.put(f"/api/jobs/more-{n}", json=timed)
        finally:
            event.remove(Engine, "before_cursor_execute", listen)
    assert counts[1] <= counts[0] + 1  # of schedules nothing is asked where there is none


async def test_job_that_the_file_lost_is_removed_and_the_log_tells_by_whom(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as home, served(home, "admin") as client:
        assert (await client.delete("/api/jobs/plain")).status_code == 409
        registry = home.tools.registry
        jobs = {name: job for name, job in registry.config.jobs.items() if name != "plain"}
        await registry.apply(registry.config.model_copy(update={"jobs": jobs}))
        with capture_logs() as lines:
            assert (await client.delete("/api/jobs/plain")).status_code == 204
        assert (await client.delete("/api/jobs/plain")).status_code == 404
    told = [(line["event"], line["job"], line["by"]) for line in lines]
    assert told == [("job.removed", "plain", "token:ci")]
