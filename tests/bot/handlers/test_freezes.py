"""While a freeze is on nothing starts through any door, and who asks hears why; who begins and ends one."""

import shlex
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.access.callers import Caller
from bot.errors import Frozen, NotAllowed
from bot.handlers.authorization import RequestContext
from bot.handlers.moments import Clocks, Later
from bot.handlers.orders import Order, Target
from bot.handlers.start import StartRequest
from bot.messages import comments, run_view, waiting_for
from bot.messages.reasons import message
from bot.states import Cause, EntryKind
from bot.store import freezes, journal, ticks
from bot.tables import Run
from tests.bot.happening import all_runs, deployed, happens
from tests.bot.house import SHOP, House, house

JOBS = """
  ship: {image: shop, command: "true", lock: prod, on: [push, {deployment: production}]}
  nightly: {image: shop, command: "true", schedule: {cron: "0 3 * * *"}}
"""
ADMINS = {"pages": {"admins": ["github:octocat", "github:hubot"]}}
LEADS = {"override": ["github:octocat"], **ADMINS}


def window(home_now: float, hours: float = 1.0, **more: Any) -> dict[str, Any]:
    """A freeze of the file that is on, as the moments around `home_now`."""
    begin, end = (
        datetime.fromtimestamp(home_now + seconds, UTC).isoformat(timespec="minutes")[:16]
        for seconds in (-3600, hours * 3600)
    )
    return {"from": begin, "until": end, **more}


@pytest.fixture
async def home(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with house(tmp_path, changes=getattr(request, "param", ADMINS), jobs=JOBS) as made:
        made.github.add_person("acme/shop", "ada", "write")
        yield made


async def runs_of(home: House) -> int:
    """How many runs there are."""
    return len(await all_runs(home))


async def test_everything_is_frozen_for_everybody_until_it_is_thawed(home: House) -> None:
    (reply,) = await home.says('/job freeze "Black *Friday*" for 2h')
    assert "Everything is frozen until" in reply
    assert "`/job thaw`" in reply
    for author in ("ada", "octocat"):
        (reply,) = await home.says("/job run ship", author=author)
        for words in ("`ship` is not started", "everything is frozen until", "octocat", r"Black \*Friday\*"):
            assert words in reply
    (reply,) = await home.types("run check")
    assert "frozen" in reply
    assert await runs_of(home) == 0
    (reply,) = await home.says("/job thaw")
    assert "Everything is not frozen any more" in reply
    await home.says("/job run ship")
    assert await runs_of(home) == 1


async def test_freeze_ends_at_its_time(home: House) -> None:
    await home.says("/job freeze for 30m")
    home.now += 1800
    await home.says("/job run ship")
    assert await runs_of(home) == 1


@pytest.mark.parametrize(
    ("options", "frozen"),
    [
        ("--job ship", {"ship"}),
        ("--job s*", {"ship"}),
        ("--lock prod", {"ship"}),
        ("--environment production", set()),
        ("--job ship --lock prod", {"ship"}),
    ],
)
async def test_only_what_is_named_is_frozen(home: House, options: str, frozen: set[str]) -> None:
    await home.says(f"/job freeze {options}")
    for job in ("ship", "check"):
        (reply, *_) = [*await home.says(f"/job run {job}"), ""]
        assert ("frozen" in reply) is (job in frozen), job
    (reply,) = await home.says("/job thaw")
    assert f"/job thaw {shlex.join(options.split())}" in reply  # as a shell takes it, too
    (reply,) = await home.says(f"/job thaw {options}")
    assert "not frozen any more" in reply


async def test_deployment_to_a_frozen_environment_starts_nothing_and_others_do(home: House) -> None:
    await home.says("/job freeze --environment Production")
    _, payload = deployed(home)
    note = await happens(home, "deployment", payload)
    assert "job ship: not started" in note
    assert "the environment `Production` is frozen" in note
    assert await runs_of(home) == 0
    await home.says("/job run ship")
    assert await runs_of(home) == 1


async def test_api_is_told_by_its_own_kind(home: House) -> None:
    await home.says("/job freeze")
    caller = Caller("token:ci", frozenset({"run:*"}))
    with pytest.raises(Frozen) as raised:
        await home.bot.calls.start(caller, "plain", StartRequest())
    assert raised.value.problem == "urn:errand:problem:frozen"
    assert raised.value.reason["by"] == "github:octocat"


async def test_push_builds_and_starts_nothing(home: House) -> None:
    await home.says('/job freeze "no deploys"')
    await home.push("d" * 40)
    assert await runs_of(home) == 0
    assert (await home.build(1)).commit == "d" * 40
    (reply,) = await home.says("/job why ship")
    assert "no deploys" in reply


async def test_schedule_is_held_back_and_its_moment_is_recorded_as_frozen(home: House) -> None:
    schedules = home.bot.ticks
    await schedules.turn()
    await home.says('/job freeze "year end"')
    due = ((home.now - 3 * 3600) // 86400 + 1) * 86400 + 3 * 3600
    home.now = due
    await schedules.turn()
    (tick,) = await home.store.read(lambda s: ticks.newest(s, "nightly", limit=9))
    assert (tick.at, tick.outcome, (tick.reason or {})["why"]) == (due, "frozen", "year end")
    await home.says("/job thaw")
    for seconds, count in ((60, 0), (86400, 1)):  # what was frozen is not made up for
        home.now = due + seconds
        await schedules.turn()
        assert await runs_of(home) == count


async def test_rerun_and_plan_say_it_too(home: House) -> None:
    await home.says("/job run ship")
    await home.says('/job freeze "fire" --lock prod')
    (reply,) = await home.says("/job rerun #1")
    assert "the lock `prod` is frozen" in reply
    (reply,) = await home.says("/job plan ship")
    assert "fire" in reply


async def test_only_who_could_run_something_of_it_freezes(home: House) -> None:
    (reply,) = await home.says("/job freeze", author="reader")
    assert "Sorry, `reader`" in reply
    (reply,) = await home.says("/job freeze --job ghost")
    assert "nothing called `ghost`" in reply
    await home.says("/job run ship")
    assert await runs_of(home) == 1


@pytest.mark.parametrize(
    ("home", "author", "may"),
    [(ADMINS, "ada", True), (LEADS, "ada", False), (LEADS, "octocat", True)],
    indirect=["home"],
)
async def test_freeze_of_somebody_else_is_ended_by_whom_override_names(
    home: House, author: str, may: bool
) -> None:
    home.github.add_person("acme/shop", "hubot", "write")
    await home.says("/job freeze --lock prod", author="hubot")
    (reply,) = await home.says("/job thaw --lock prod", author=author)
    assert ("not frozen any more" in reply) is may
    if not may:
        assert "`hubot` began this freeze" in reply
        assert "`github:octocat`" in reply
        (reply,) = await home.says("/job thaw --lock prod", author="hubot")
        assert "not frozen any more" in reply


async def test_freezing_again_takes_the_place_of_the_same_and_bounds_hold(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.says("/job freeze one")
    await home.says("/job freeze two for 1h")
    (row,) = await home.store.read(lambda s: freezes.going(s, now=home.now))
    assert row.why == "two"
    monkeypatch.setattr(freezes, "MOST", 1)
    (reply,) = await home.says("/job freeze --job ship")
    assert "1 freezes already" in reply


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("for 500d", "at most a year"),
        ("until 2001-01-01", "not within the next year"),
        ("until soon", "soon"),
        (f'"{"x" * 201}"', "at most 200"),
        ("a b", "Usage"),
        ("--job", "needs a value"),
    ],
)
async def test_what_is_no_freeze_is_refused(home: House, words: str, told: str) -> None:
    (reply,) = await home.says(f"/job freeze {words}")
    assert told in reply
    assert await home.store.read(lambda s: freezes.going(s, now=home.now)) == []


async def test_both_ends_stand_in_the_journal(home: House) -> None:
    await home.says('/job freeze "fire" --lock prod')
    await home.says("/job thaw --lock prod", author="ada")
    ended, began = await home.store.read(lambda s: list(journal.newest(s, limit=2)))
    assert (began.kind, began.actor, began.subject) == (
        EntryKind.FROZEN,
        "github:octocat",
        "freeze:lock prod",
    )
    assert began.facts["reason"] == "fire"
    assert (ended.kind, ended.actor, ended.facts["by"]) == (EntryKind.THAWED, "github:ada", "github:octocat")


async def test_file_freezes_and_is_read_again(tmp_path: Path) -> None:
    now = datetime.now(UTC).timestamp()
    changes = {"freeze": [window(now, why="Christmas"), window(now, 5.0, jobs=["ship"])]}
    async with house(tmp_path, changes=changes, jobs=JOBS) as home:
        (reply,) = await home.says("/job run ship")
        assert "is frozen until" in reply
        assert "app.yaml" in reply
        (reply,) = await home.says("/job thaw")
        assert "What `app.yaml` freezes ends by itself" in reply
        home.now += 2 * 3600
        await home.says("/job run check")
        assert await runs_of(home) == 1
        file = home.home / "app.yaml"
        file.write_text(file.read_text().replace('"jobs": ["ship"]', '"jobs": ["check"]'))
        await home.reread()
        await home.says("/job run ship")
        assert await runs_of(home) == 2


async def test_held_run_is_not_released_into_a_freeze(home: House) -> None:
    context = RequestContext(key="k", cause=Cause.SLACK, actor="slack:octocat", login="octocat")
    job = home.tools.registry.catalog.jobs["ship"]
    order = Order(
        context, 0, job, Target(SHOP, False), {}, later=Later(home.now + 60.0, Clocks("UTC", "UTC"))
    )
    await home.says('/job freeze "fire"')
    held = await home.write(lambda s: home.bot.enqueuer.enqueue(s, order))
    await home.bot.approvals.holds.look(held)
    ended = await home.run(held.identity)
    assert (ended.result, ended.reason) == ("cancelled", "NotReleased")
    assert "frozen by octocat: fire" in (message(ended) or ""), ended.reason_on


async def test_who_override_names_starts_it_all_the_same_and_that_is_recorded(tmp_path: Path) -> None:
    changes = (
        LEADS | {"pages": {"admins": ["github:ada"]}} | {"jobs": {"deploy": {"notify": {"when": ["failed"]}}}}
    )
    async with house(tmp_path, changes=changes, jobs=JOBS) as home:
        home.github.add_person("acme/shop", "ada", "write")
        await home.says('/job freeze "Christmas"', author="ada")
        start = "/job run deploy SECRETIVE=x"
        (reply,) = await home.says(start)
        assert '`--override "why"`' in reply
        (reply,) = await home.says(f'{start} --override "money"', author="ada")
        assert "`github:octocat`" in reply
        assert await runs_of(home) == 0
        (reply,) = await home.says(f'{start.replace("run", "plan")} --override "money"')
        assert "starts in spite of a freeze: everything is frozen by ada: Christmas" in reply
        await home.says(f'{start} --override "customers cannot pay"')
        run = await home.run(1)
        assert run.override == "customers cannot pay"
        entries = await home.store.read(lambda s: list(journal.newest(s, limit=9)))
        (told,) = [each for each in entries if each.kind == EntryKind.OVERRIDDEN]
        assert (told.actor, told.run, told.rule) == ("github:octocat", 1, "override: allow: github:octocat")
        assert told.facts == {
            "why": "customers cannot pay",
            "freeze": "everything is frozen by ada: Christmas",
        }
        (card,) = [post for post in await home.posts() if post.kind == "slack_message"]
        assert card.state != "quiet"
        assert "in spite of a freeze: customers cannot pay" in comments.card(
            run_view(run), None, command="/job"
        )


async def test_where_nothing_is_frozen_nothing_is_overridden(tmp_path: Path) -> None:
    async with house(tmp_path, changes=LEADS, jobs=JOBS) as home:
        await home.says('/job run check --override "just so"')
        assert (await home.run(1)).override is None
        entries = await home.store.read(lambda s: list(journal.newest(s, limit=9)))
        assert EntryKind.OVERRIDDEN not in [each.kind for each in entries]


@pytest.mark.parametrize("why", ['""', f'"{"x" * 201}"', '"a\u200bb"'])
async def test_why_has_to_be_said(tmp_path: Path, why: str) -> None:
    async with house(tmp_path, changes=LEADS, jobs=JOBS) as home:
        await home.says("/job freeze")
        await home.says(f"/job run check --override {why}")
        assert await runs_of(home) == 0


async def test_where_override_names_nobody_nobody_overrides(home: House) -> None:
    await home.says("/job freeze")
    (reply,) = await home.says('/job run check --override "please"')
    assert "`override` names nobody" in reply


@pytest.mark.parametrize(("names", "may"), [(["token:ci"], True), (["token:other"], False)])
async def test_token_overrides_where_it_is_named(tmp_path: Path, names: list[str], may: bool) -> None:
    async with house(tmp_path, changes={"override": names} | ADMINS, jobs=JOBS) as home:
        await home.says("/job freeze")
        caller, request = Caller("token:ci", frozenset({"admin"})), StartRequest(override="release")
        if may:
            result = await home.bot.calls.start(caller, "plain", request)
            assert result.run.override == "release"
        else:
            with pytest.raises(NotAllowed):
                await home.bot.calls.start(caller, "plain", request)


async def test_rerun_overrides_too_and_a_repeated_run_does_not_by_itself(tmp_path: Path) -> None:
    async with house(tmp_path, changes=LEADS, jobs=JOBS) as home:
        await home.says("/job freeze")
        await home.says('/job run check --override "one"')
        (reply,) = await home.says("/job rerun #1")
        assert "not started" in reply
        await home.says('/job rerun #1 --override "two"')
        assert (await home.run(2)).override == "two"


NO_IMAGE = """
  alone: {command: "true", lock: prod, concurrency: queue, retries: 1}
  other: {command: "true", lock: prod}
"""


async def test_run_that_waited_when_a_freeze_began_starts_when_it_is_over(tmp_path: Path) -> None:
    async with house(tmp_path, jobs=NO_IMAGE) as home:
        await home.says("/job run alone\n/job run other")
        await home.says('/job freeze "fire" --job alone')
        await home.bot.runner.carry(await home.claim(Run))
        held = await home.run(1)
        assert (held.state, held.hold, held.admitted, held.lease_owner) == ("waiting", "freeze", False, None)
        assert "the end of a freeze (`alone` is frozen by octocat: fire)" in (waiting_for(held) or "")
        await home.bot.runner.carry(await home.claim(Run))  # which waited for the lock that is free now
        assert (await home.run(2)).result == "succeeded"
        await home.bot.approvals.holds.look(held)
        assert (await home.run(1)).hold == "freeze"
        await home.says("/job thaw --job alone")
        await home.bot.approvals.holds.look(await home.run(1))
        go_on = await home.run(1)
        assert (go_on.hold, go_on.admitted) == (None, True)
        await home.bot.runner.carry(await home.claim(Run))
        assert (await home.run(1)).result == "succeeded"


async def test_overridden_run_that_waited_is_not_held_back(tmp_path: Path) -> None:
    async with house(tmp_path, changes=LEADS, jobs=NO_IMAGE) as home:
        await home.says("/job freeze")
        await home.says('/job run alone --override "customers"')
        await home.bot.runner.carry(await home.claim(Run))
        assert (await home.run(1)).result == "succeeded"
