"""`plan` and `why`: what they tell, to whom, and that they start nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Session, runs
from bot.tables import JobState, Tick
from tests.bot.handlers.test_pushes import ONE, pushed
from tests.bot.house import SITE, House, house
from tests.bot.store.counting import active_builds

CHANGES = {
    "images": {"shop": {"build": {"branches": ["main"], "paths": ["src/**"]}}},
    "jobs": {
        "check": {"on": ["push"]},
        "publish": {"concurrency": "forbid", "env": {"HIDDEN": "value-of-it"}},
        "move": {
            "image": "shop",
            "command": "x",
            "parameters": {"REGION": {"choices": ["eu", "us"], "default": "eu"}},
            "concurrency": {"limit": 1, "key": ["REGION"], "over": "forbid"},
        },
    },
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CHANGES) as made:
        yield made


async def began(home: House, number: int) -> None:
    """The job of a run was started."""

    def write(session: Session) -> None:
        run = runs.get(session, number)
        assert run is not None
        run.started_at = home.now

    await home.write(write)


async def test_plan_tells_what_run_would_do_and_starts_nothing(home: House) -> None:
    (reply,) = await home.says("/job plan deploy SECRETIVE=x")
    for words in (
        "image `shop` from commit `cccccccccccc` (`topic`), to be built first",
        "parameters: `SECRETIVE=x`",
        "permission: `octocat` may run jobs of `Acme/Shop`",
        "nothing is in its way",
        "no schedule",
        "it never ran before",
    ):
        assert words in reply
    assert await home.store.read(active_builds) == 0


async def test_plan_tells_how_it_differs_from_the_last_run_that_began(home: House) -> None:
    await home.says("/job run deploy SECRETIVE=x")
    assert "it never ran before" in (await home.says("/job plan deploy SECRETIVE=x"))[0]
    await began(home, 1)
    (reply,) = await home.says("/job plan deploy SECRETIVE=x")
    assert "the same as `#1`" in reply
    assert "under way: build `#1`" in reply
    (reply,) = await home.types("plan deploy SECRETIVE=`<!here>`")
    assert "SECRETIVE: x → " in reply
    assert "commit: cccccccccccc → aaaaaaaaaaaa" in reply


async def test_plan_names_variables_and_never_their_values(home: House) -> None:
    await home.says("/job run publish", repository=SITE)
    (reply,) = await home.says("/job plan publish", repository=SITE)
    assert "variables: `HIDDEN`" in reply
    assert "value-of-it" not in reply
    assert "it would be refused: `publish` is not started: #1" in reply


async def test_plan_and_why_ask_about_the_queue_of_the_values_that_are_meant(home: House) -> None:
    await home.says("/job run move")
    refused = "`move` is not started: #1"
    (reply,) = await home.says("/job plan move")
    assert refused in reply
    assert "only one at a time is allowed for `REGION=eu` (`over: forbid`)" in reply
    (reply,) = await home.says("/job plan move REGION=us")
    assert "nothing is in its way" in reply
    assert refused in (await home.says("/job why move"))[0]  # with its defaults
    (reply,) = await home.says("/job run move")
    assert refused in reply
    await home.says("/job run move REGION=us")
    assert (await home.run(2)).queue == "REGION=us"


@pytest.mark.parametrize("verb", ["plan", "why"])
async def test_public_place_hears_of_its_own_jobs_only(home: House, verb: str) -> None:
    (reply,) = await home.says(f"/job {verb} deploy", repository=SITE)
    assert "no job `deploy`" in reply
    (reply,) = await home.says(f"/job {verb} publish", author="reader", repository=SITE)
    assert "write access" in reply


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plan check --image v2", "in no registry, so it has no tags"),
        ("plan deploy", "`SECRETIVE` is required"),
        ("plan plain", "no image, so no repository"),
        ("why plain", "no image, so no repository"),
        ("why chekc", "Did you mean `check`"),
    ],
)
async def test_what_cannot_be_answered_is_refused_as_run_would(home: House, text: str, words: str) -> None:
    (reply,) = await home.types(text)
    assert words in reply


async def test_why_tells_which_filter_kept_a_push_from_building(home: House) -> None:
    await pushed(home, ONE, paths=["docs/a"])
    await pushed(home, ONE, branch="topic")
    (reply,) = await home.says("/job why check")
    assert "not built: nothing changed that fits its `paths` (`src/**`)" in reply
    assert "push to `topic`" in reply
    assert "the branch `topic` fits none of its `branches` (`main`)" in reply
    assert "it never ran" in reply
    (reply,) = await home.types("why deploy")
    assert "pushes rebuild its image and do not start it" in reply
    (reply,) = await home.says("/job why publish", repository=SITE)
    assert "no push of its repository came" in reply


async def test_lock_of_a_person_is_told(home: House) -> None:
    await home.says('/job lock check "moving *the* house" for 1h --everyone')
    for verb in ("why", "plan"):
        (reply,) = await home.says(f"/job {verb} check")
        assert "would wait" in reply
        assert "closed by octocat" in reply
        assert "*the*" not in reply


async def test_why_without_an_image_speaks_of_no_push(home: House) -> None:
    (reply,) = await home.says("/job why plain")
    assert "no image that is built, so no push starts it" in reply
    assert "no lock and no other run is in its way now" in reply


async def test_ticks_are_told_newest_first(home: House) -> None:
    await home.write(
        lambda s: s.add_all(
            [
                Tick(job="plain", at=60.0, outcome="missed", note="down *then*", decided_at=0.0),
                Tick(job="plain", at=120.0, outcome="run", run_number=9, decided_at=0.0),
                JobState(job="plain", paused=True, paused_by="github:octocat"),
            ]
        )
    )
    (reply,) = await home.says("/job why plain")
    assert reply.index("became `#9`") < reply.index("missed (down \\*then\\*)")
    assert "due Thu 1970-01-01 00:02 UTC: became" in reply


async def test_why_tells_who_was_not_allowed_to_start_the_job(home: House) -> None:
    await home.says("/job run check\n/job list", author="reader")
    await home.types("run check", user="U0STRANGER")
    await home.says("/job run publish", repository=SITE)
    await home.says("/job run publish", repository=SITE)
    (reply,) = await home.says("/job why check")
    assert "refused `reader`" in reply
    assert "running jobs of `acme/shop` needs write access" in reply.replace("Acme/Shop", "acme/shop")
    assert "refused `somebody in Slack`" in reply
    assert reply.count("refused") == 2
    (reply,) = await home.says("/job why publish", repository=SITE)
    assert "refused `octocat`" in reply
    assert "`publish` is not started: #" in reply
    (reply,) = await home.says("/job why deploy")
    assert "refused" not in reply


async def test_why_tells_nothing_of_what_was_asked_in_another_repository_or_typed(home: House) -> None:
    await home.says("/job run publish", author="reader")
    await home.says("/job run check WRONG=hunter2\n/job rerun publish")
    (reply,) = await home.says("/job why publish", repository=SITE)
    assert "refused" not in reply
    (reply,) = await home.says("/job why check")
    assert "refused" not in reply


async def test_next_five_times_are_told_by_the_clocks_of_the_schedule(tmp_path: Path) -> None:
    schedule = '{cron: "30 2 * * *", timezone: Europe/Helsinki}'
    job = f'  nightly: {{image: shop, command: "true", schedule: {schedule}}}\n'
    async with house(tmp_path, jobs=job) as home:
        home.now = 1_800_014_400.0  # Fri 2027-01-15 12:00 UTC
        (reply,) = await home.says("/job plan nightly")
        times = [f"{day} 02:30 EET" for day in ("Sat 2027-01-16", "Sun 2027-01-17", "Mon 2027-01-18")]
        assert f"- schedule `30 2 * * *` (Europe/Helsinki), next: {', '.join(times)}, " in reply
        assert reply.count(" 02:30 EET") == 5
        (reply,) = await home.says("/job skip nightly\n/job why nightly")
        assert "Sat 2027-01-16 02:30 EET is left out by `octocat`" in reply
        assert "next: Sun 2027-01-17" in reply
        (reply,) = await home.says("/job pause nightly until 2027-01-18T12:00\n/job plan nightly")
        assert "the schedule is paused until Mon 2027-01-18 12:00 EET by `octocat`" in reply
        assert "next: Tue 2027-01-19" in reply
        (reply,) = await home.says("/job pause nightly\n/job plan nightly")
        assert "next: none while it is paused" in reply
        assert "the schedule is paused by `octocat`" in reply
