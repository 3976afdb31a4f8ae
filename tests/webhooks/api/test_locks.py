"""Who keeps runs back, on the first page and through the API, over real HTTP."""

import httpx

from bot.store import locks, runs
from bot.tables import Lock, Run
from tests.webhooks.installation import NOW, Installation, client, here, member

__all__ = ["client", "here", "member"]


async def wait_for(here: Installation, job: str, lock: str | None) -> None:
    run = Run(
        key=f"{job}:{lock}",
        name="",
        job=job,
        lock=lock,
        cause="comment",
        actor="github:octocat",
        created_at=0.0,
    )
    await here.store.write(lambda s: runs.enqueue(s, run, [], now=NOW, nonce=job))


async def close(here: Installation, target: str, reason: str | None, until: float | None) -> None:
    lock = Lock(target=target, reason=reason, actor="slack:U012AB3CD", created_at=NOW, until=until)
    await here.store.write(lambda s: locks.add(s, lock, now=NOW))


async def test_locks_of_people_and_runs_are_listed(here: Installation, member: httpx.AsyncClient) -> None:
    run = await here.start_run(lock="prod")
    await wait_for(here, "deploy", "prod")
    await close(here, "prod", "a sale", NOW + 3600)
    await close(here, "report", None, None)
    await wait_for(here, "report", None)
    await close(here, "over", None, NOW + 1)
    here.now += 2

    found = (await member.get("/api/locks")).json()

    assert found == {
        "locks": [
            {
                "target": "prod",
                "closed": {
                    "actor": "slack:U012AB3CD",
                    "reason": "a sale",
                    "since": "2023-11-14T22:13:20.000Z",
                    "until": "2023-11-14T23:13:20.000Z",
                    "everyone": True,
                    "pull_request": None,
                },
                "held": {
                    "run": run.number,
                    "job": "migrate",
                    "actor": "github:octocat",
                    "state": "running",
                    "url": "http://127.0.0.1/runs/1",
                },
                "waiting": 1,
            },
            {
                "target": "report",
                "closed": {
                    "actor": "slack:U012AB3CD",
                    "reason": None,
                    "since": "2023-11-14T22:13:20.000Z",
                    "until": None,
                    "everyone": True,
                    "pull_request": None,
                },
                "held": None,
                "waiting": 1,
            },
        ]
    }


async def test_first_page_says_who_locked_what_and_why(here: Installation, member: httpx.AsyncClient) -> None:
    assert '<h2 class="heading">Locks</h2>' not in (await member.get("/")).text
    await here.start_run(lock="prod")
    await close(here, "prod", "<b>a sale", NOW + 3600)
    await close(here, "report", None, None)

    page = (await member.get("/")).text

    for words in (
        "by somebody in Slack",
        ">2023-11-14 23:13 UTC</time>, for everybody: &lt;b&gt;a sale",
        "/runs/1",
        "migrate #1",
        "until somebody opens it, for everybody",
    ):
        assert words in page


async def test_locks_are_not_for_everybody(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/locks")).status_code == 401
