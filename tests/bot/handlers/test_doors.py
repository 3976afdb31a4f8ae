"""The same request through every door: what is stored is the same, whoever brought it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.access.callers import Caller, of_hook, of_token, of_workflow
from bot.catalog.exec import Single
from bot.errors import AskerError, Missing
from bot.handlers.calls import StartConditions
from bot.handlers.rerun import RerunRequest
from bot.handlers.start import StartRequest
from bot.store import runs, ticks
from bot.tables import Build, Run
from executor.spec import Outcome, Result, Started
from tests.bot.handlers.test_ready_images import CONTAINED, PINNED
from tests.bot.house import HEAD, House, house, merged, unchecked
from tests.bot.ticking import at, begun

BOSS = of_token("boss", frozenset({"admin"}))
HOOK, WORKFLOW = of_hook("check", "ci"), of_workflow("actions:acme/shop@main", frozenset({"run:check"}))
OPS = Caller("token:ops", frozenset({"exec"}))

WHO_ASKED = {"number", "key", "name", "cause", "actor", "created_at", "tick_at", "pull_request"}
"""Of a stored run: that it is another one, whose, and where it was asked for."""
PLACE_IN_LINE = {"waiting_for", "waiting_on", "due_at", "admitted"}

Door = Callable[[House, StartRequest], Awaitable[object]]
Again = Callable[[House, int, RerunRequest], Awaitable[object]]


CHECK = {
    "command": ["echo"],
    "arguments": True,
    "parameters": {"WHO": {"default": "you"}},
    "on": ["push"],
    "lock": "prod",
    "schedule": {"cron": "0 * * * *"},
}
CHANGES = merged(CONTAINED, {"jobs": {"often": {"image": "shop"}, "check": CHECK}})


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CHANGES) as made:
        made.engine.plans = [[Started(made.now), Outcome(Result.SUCCEEDED, exit_code=0, image="i")]]
        made.engine.pins = [[Outcome(Result.SUCCEEDED, image=PINNED)]]
        yield made


def stored(run: Run) -> dict[str, Any]:
    """What was asked for, without who did and what was in the way then."""
    return {name: value for name, value in run.model_dump().items() if name not in WHO_ASKED | PLACE_IN_LINE}


def typed(request: StartRequest) -> str:
    """The words of a request after the job's name."""
    words = [f"{name}={value}" for name, value in request.parameters.items()]
    words += [f"--ref {request.ref}"] if request.ref else []
    words += [f"--image {request.image_tag}"] if request.image_tag else []
    return " ".join([*words, *(["--", *request.arguments] if request.arguments else [])])


async def by_comment(home: House, request: StartRequest) -> None:
    await home.says(f"/job run check {typed(request)}")


async def by_slack(home: House, request: StartRequest) -> None:
    await home.types(f"run check {typed(request)}")


def by(caller: Caller, conditions: StartConditions) -> Door:
    return lambda home, request: home.bot.calls.start(caller, "check", request, conditions)


DOORS: dict[str, Door] = {
    "comment": by_comment,
    "slack": by_slack,
    "api": by(BOSS, StartConditions()),
    "api with a key": by(BOSS, StartConditions("key")),
    "hook": by(HOOK, StartConditions(check=lambda session: None)),
    "workflow": by(WORKFLOW, StartConditions()),
}


@pytest.mark.parametrize(
    "request_",
    [
        StartRequest(ref="main"),
        StartRequest({"WHO": "Ada"}, ("one", "two"), "feature"),
        StartRequest(arguments=("x",), ref=HEAD),
        StartRequest({"WHO": "Ada"}, image_tag="v9"),
    ],
)
async def test_every_door_stores_the_same_run(home: House, request_: StartRequest) -> None:
    for door in DOORS.values():
        await door(home, request_)
    found = await home.store.read(lambda s: runs.page(s))
    assert len(found) == len(DOORS)
    first = stored(found[-1])
    assert {each.cause for each in found} == {"comment", "slack", "api", "hook", "actions"}
    for run, name in zip(reversed(found), DOORS, strict=True):
        assert stored(run) == first, name


@pytest.mark.parametrize(
    "request_",
    [
        StartRequest({"NOBODY": "x"}),
        StartRequest(ref="nowhere"),
        StartRequest(ref="main", image_tag="v9"),
        StartRequest(image_tag=".."),
    ],
)
async def test_what_one_door_refuses_every_door_refuses(home: House, request_: StartRequest) -> None:
    for name, door in DOORS.items():
        if name in ("comment", "slack"):
            await door(home, request_)
        else:
            with pytest.raises(AskerError):
                await door(home, request_)
    assert await home.store.read(lambda s: runs.page(s)) == []


async def test_push_and_tick_store_what_a_start_of_the_same_commit_does(home: House) -> None:
    home.now = 1_800_014_400.0 - 30
    handler = await begun(home)
    await at(home, handler, 1_800_014_400.0)
    await home.push(HEAD)
    await home.bot.calls.start(BOSS, "check", StartRequest())
    found = await home.store.read(lambda s: runs.page(s, job="check"))
    assert [run.cause for run in found] == ["api", "push", "schedule"]
    api, push, tick = (stored(run) for run in found)
    assert push == api
    assert tick == api
    assert len(await home.store.read(lambda s: ticks.newest(s, "check", limit=9))) == 1


async def comment_again(home: House, number: int, changes: RerunRequest) -> None:
    words = [f"{name}={value}" for name, value in changes.parameters.items()]
    await home.says(" ".join([f"/job rerun #{number}", *words, *(["--latest"] if changes.latest else [])]))


async def slack_again(home: House, number: int, changes: RerunRequest) -> None:
    words = [f"{name}={value}" for name, value in changes.parameters.items()]
    await home.types(" ".join([f"rerun #{number}", *words, *(["--latest"] if changes.latest else [])]))


AGAIN: dict[str, Again] = {
    "comment": comment_again,
    "slack": slack_again,
    "api": lambda home, number, changes: home.bot.calls.rerun(BOSS, number, changes),
}


@pytest.mark.parametrize("changes", [RerunRequest(), RerunRequest({"WHO": "Bob"})])
@pytest.mark.parametrize(
    "first", [StartRequest(ref="feature", arguments=("x",)), StartRequest(image_tag="v9")]
)
async def test_every_door_repeats_the_same(home: House, first: StartRequest, changes: RerunRequest) -> None:
    await home.bot.calls.start(BOSS, "check", first)
    for again in AGAIN.values():
        await again(home, 1, changes)
    *found, _ = await home.store.read(lambda s: runs.page(s))
    assert [run.rerun_of for run in found] == [1, 1, 1]
    assert {run.parameters["WHO"] for run in found} == {changes.parameters.get("WHO", "you")}
    for run in found:
        assert stored(run) == stored(found[0])


@pytest.mark.parametrize("latest", [False, True])
async def test_single_command_of_a_repository_is_repeated_by_every_door(home: House, latest: bool) -> None:
    await home.bot.calls.execute(OPS, Single("shop", ("ls", "-l")))
    await home.says(f"/job rerun #1{' --latest' if latest else ''}")
    await home.types(f"rerun #1{' --latest' if latest else ''}")
    await home.bot.calls.rerun(OPS, 1, RerunRequest(latest=latest))
    *found, first = await home.store.read(lambda s: runs.page(s))
    assert [(run.job, run.cause) for run in found] == [
        ("exec", "api"),
        ("exec", "slack"),
        ("exec", "comment"),
    ]
    assert all(stored(run) == stored(first) | {"rerun_of": 1} for run in found)


async def test_single_command_is_repeated_in_chat_under_the_rights_of_its_repository(home: House) -> None:
    await home.bot.calls.execute(OPS, Single("shop", ("ls",)))
    (refusal,) = await home.says("/job rerun #1", author="reader")
    assert "write access" in refusal
    assert "public" in (await home.says("/job rerun #1", repository="acme/site"))[0]
    assert len(await home.store.read(lambda s: runs.page(s))) == 1


async def test_caller_whose_last_run_is_closed_to_it_by_now_hears_so(home: House) -> None:
    await home.bot.calls.start(BOSS, "check", StartRequest())
    less = of_token("boss", frozenset({"run:plain"}))
    with pytest.raises(Missing) as caught:
        await home.bot.calls.rerun(less, None)
    assert "None" not in str(caught.value)


# plan ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [StartRequest(), StartRequest({"WHO": "Ada"}, ("x",), "feature"), StartRequest(image_tag="v3")],
)
async def test_draft_of_plan_is_the_run_that_is_stored(home: House, request_: StartRequest) -> None:
    bot = home.bot
    await bot.calls.move(HOOK, "check", "v9", unchecked)
    order = await bot.actions.starts.order(bot.authorization.of_caller(BOSS), "check", request_)
    prospect = await home.write(lambda s: bot.enqueuer.prospect(s, order))
    run = await home.write(lambda s: bot.enqueuer.enqueue(s, order))
    still_to_come = {"build_number": None, "waiting_for": None}
    assert stored(prospect.run) | still_to_come == stored(run) | still_to_come
    assert await home.store.read(lambda s: len(runs.page(s))) == 1


async def test_plan_tells_the_commit_that_run_would_take_though_a_tag_was_chosen(home: House) -> None:
    await home.bot.calls.move(HOOK, "check", "v9", unchecked)
    (reply,) = await home.says("/job plan check --ref feature")
    assert "from commit `bbbbbbbbbbbb` (`feature`), to be built first" in reply
    (reply,) = await home.says("/job plan check --image v3")
    assert "ghcr.io/acme/shop:v3" in reply
    (reply,) = await home.types("plan check")
    assert "ghcr.io/acme/shop:v9" in reply


async def test_plan_compares_with_the_last_run_that_began(home: House) -> None:
    await home.says("/job run check WHO=Ada --ref main")
    await home.bot.builder.carry(await home.claim(Build))
    await home.bot.runner.carry(await home.claim(Run))
    await home.says("/job run check WHO=Bob --ref main")
    await home.says("/job cancel #2")
    (reply,) = await home.says("/job plan check WHO=Ada --ref main")
    assert "the same as `#1`" in reply


async def test_plan_of_what_never_began_compares_with_nothing(home: House) -> None:
    await home.says("/job run check --ref main")
    assert "it never ran before" in (await home.says("/job plan check --ref main"))[0]
