"""What callers over HTTP ask for: keys, tags of images and what single commands may name."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access.callers import Caller, of_hook, of_token
from bot.catalog.exec import Single
from bot.catalog.parameters import Parameter
from bot.errors import Missing, NotAllowed, Unfit
from bot.handlers.calls import StartConditions
from bot.handlers.rerun import RerunRequest
from bot.handlers.selection import RunReference
from bot.handlers.start import StartRequest
from bot.store import hooks, idempotency, image_tags, runs
from bot.store.idempotency import KEEP_KEYS
from bot.tables import Build, Hook, ImageTag, Run
from executor.spec import Live, Outcome, Result, RunSpec, Started
from tests.bot.handlers.test_ready_images import CONTAINED, PINNED
from tests.bot.house import HEAD, House, house, unchecked

BOSS = of_token("boss", frozenset({"admin"}))
RUNNER = of_token("runner", frozenset({"run:plain", "run:deploy"}))


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CONTAINED) as made:
        made.engine.plans = [[Started(made.now), Outcome(Result.SUCCEEDED, exit_code=0)]]
        made.engine.pins = [[Outcome(Result.SUCCEEDED, image=PINNED)]]
        yield made


async def refused(call: object, *words: str) -> Unfit:
    with pytest.raises(Unfit) as caught:
        await call  # type: ignore[misc]
    for word in words:
        assert word in str(caught.value)
    return caught.value


def reference(run: Run) -> str | None:
    return None if run.image_definition is None else run.image_definition["reference"]


async def test_token_starts_its_jobs_only(home: House) -> None:
    calls = home.bot.calls
    called = await calls.start(RUNNER, "plain", StartRequest({"WHO": "Ada"}))
    assert (called.new, called.run.actor, called.run.cause) == (True, "token:runner", "api")
    assert called.run.parameters == {"WHO": "Ada"}
    with pytest.raises(NotAllowed):
        await calls.start(RUNNER, "check", StartRequest())
    with pytest.raises(Missing):
        await calls.start(BOSS, "nothing", StartRequest())
    with pytest.raises(Missing):
        await calls.start(BOSS, "../plain", StartRequest())
    number = (await calls.start(BOSS, "check", StartRequest())).run.identity
    for call in (calls.cancel(RUNNER, RunReference(number)), calls.rerun(RUNNER, number)):
        with pytest.raises(Missing):
            await call


async def test_undeclared_and_wrong_parameters_are_told_with_their_place(home: House) -> None:
    error = await refused(home.bot.calls.start(BOSS, "deploy", StartRequest({"A/B": "1"})), "A/B")
    assert [place for place, _ in error.mistakes] == [("parameters", "A/B"), ("parameters", "SECRETIVE")]


async def test_same_key_gives_the_same_run_however_many_ask_at_once(home: House) -> None:
    calls, terms = home.bot.calls, StartConditions("key-1")
    found = await asyncio.gather(*(calls.start(BOSS, "plain", StartRequest(), terms) for _ in range(20)))
    assert {each.run.number for each in found} == {1}
    assert sum(each.new for each in found) == 1
    assert (
        await calls.start(RUNNER, "plain", StartRequest(), terms)
    ).run.number == 2  # keys are each caller's own
    for other in (StartRequest({"WHO": "x"}), StartRequest(arguments=("x",)), StartRequest(ref="main")):
        with pytest.raises(NotAllowed, match="another request"):
            await calls.start(BOSS, "plain", other, terms)
    with pytest.raises(NotAllowed, match="another request"):
        await calls.rerun(BOSS, 1, None, terms)


async def test_same_key_is_answered_when_the_job_is_gone_or_busy_and_forgotten_after_a_day(
    home: House,
) -> None:
    calls, terms = home.bot.calls, StartConditions("key-1")
    await calls.start(BOSS, "plain", StartRequest(), terms)
    without = home.without(config=home.tools.registry.config.model_copy(update={"jobs": {}}))
    assert (await without.bot.calls.start(BOSS, "plain", StartRequest(), terms)).run.number == 1
    later = home.without(clock=lambda: home.now + KEEP_KEYS + 60).bot.calls
    assert (await later.start(BOSS, "plain", StartRequest({"WHO": "x"}), terms)).run.number == 2
    await home.bot.pruning.rows(home.now + 3 * KEEP_KEYS)
    assert await home.store.read(lambda s: idempotency.find(s, "token:boss", "key-1", since=0.0)) is None


async def test_one_run_may_have_another_tag_of_its_own_image(home: House) -> None:
    calls = home.bot.calls
    assert (
        reference((await calls.start(BOSS, "plain", StartRequest(image_tag="2.0"))).run)
        == "ghcr.io/acme/tools:2.0"
    )
    assert reference((await calls.start(BOSS, "plain", StartRequest())).run) == "ghcr.io/acme/tools:1"
    run = (await calls.start(BOSS, "check", StartRequest(image_tag=HEAD))).run
    assert (reference(run), run.build_number, run.repository) == (
        f"ghcr.io/acme/shop:{HEAD}",
        None,
        "Acme/Shop",
    )
    await refused(calls.start(BOSS, "check", StartRequest(ref="main", image_tag="1")), "Either")
    await refused(calls.start(BOSS, "words", StartRequest(image_tag="1")), "no tags")
    await home.says("/job run plain --image 3.0")
    assert reference(await home.run(4)) == "ghcr.io/acme/tools:3.0"


@pytest.mark.parametrize(
    "tag",
    [
        "1@sha256:" + "1" * 64,
        "sha256:" + "1" * 64,
        "../x:1",
        "evil/image",
        "a:b",
        "",
        " 1",
        "1\n",
        "-1",
        "x" * 129,
    ],
)
async def test_nothing_but_a_tag_is_a_tag(home: House, tag: str) -> None:
    calls = home.bot.calls
    await refused(calls.start(BOSS, "plain", StartRequest(image_tag=tag)), "tag")
    await refused(calls.move(of_hook("plain", "ci"), "plain", tag, unchecked), "tag")
    assert await home.store.read(image_tags.all) == {}


async def test_chosen_tag_is_what_everybody_runs_until_the_image_says_something_else(home: House) -> None:
    calls, hook = home.bot.calls, of_hook("plain", "ci")
    await calls.move(hook, "plain", "2.0", unchecked)
    await home.says("/job run plain")
    assert reference(await home.run(1)) == "ghcr.io/acme/tools:2.0"
    await home.bot.runner.carry(await home.claim(Run))
    assert home.engine.pinned == ["ghcr.io/acme/tools:2.0"]
    assert "ghcr.io/acme/tools:2.0" in (await home.says("/job plan plain"))[0]
    await home.says("/job rerun #1 --latest")
    assert reference(await home.run(2)) == "ghcr.io/acme/tools:2.0"
    with pytest.raises(NotAllowed):
        await calls.move(hook, "often", "2.0", unchecked)
    images = dict(home.tools.registry.config.images)
    images["tools"] = images["tools"].model_copy(update={"reference": "ghcr.io/acme/tools:5"})
    other = home.without(config=home.tools.registry.config.model_copy(update={"images": images}))
    assert (
        reference((await other.bot.calls.start(BOSS, "plain", StartRequest())).run) == "ghcr.io/acme/tools:5"
    )
    await calls.follow(BOSS, "plain")
    assert reference((await calls.start(BOSS, "plain", StartRequest())).run) == "ghcr.io/acme/tools:1"


async def test_what_a_push_brought_takes_over_once_it_is_built(home: House) -> None:
    calls, hook = home.bot.calls, of_hook("check", "ci")
    terms = StartConditions(moves=True)
    assert (
        reference((await calls.start(hook, "check", StartRequest(image_tag="v1"), terms)).run)
        == "ghcr.io/acme/shop:v1"
    )
    home.github.state.repositories["acme/shop"].pulls.get(7)
    await home.push(HEAD, branch="other")
    assert (await chosen(home, "check")).pushed is None
    await home.push(HEAD)
    assert (await chosen(home, "check")).pushed == HEAD
    build = await home.claim(Build)
    home.engine.plans = [[Started(home.now), Outcome(Result.FAILED, exit_code=1)]]
    await home.bot.builder.carry(build)
    assert (await chosen(home, "check")).tag == "v1"  # nothing good came of the push
    await home.push("d" * 40, before=HEAD)
    await home.push(HEAD, before="d" * 40)  # it was set back
    home.engine.plans = [[Started(home.now), Outcome(Result.SUCCEEDED, image="built")]]
    await home.bot.builder.carry(await home.claim(Build))
    assert await home.store.read(image_tags.all) == {}


async def chosen(home: House, job: str) -> ImageTag:
    row = await home.store.read(lambda s: image_tags.of(s, job))
    assert row is not None
    return row


async def test_job_that_is_deleted_takes_its_hooks_and_its_tag_along(home: House) -> None:
    job = home.tools.registry.config.jobs["plain"].model_copy(update={"name": "mine"})
    await home.tools.registry.put(job, actor="token:boss", expected=lambda version: True)
    made = Hook(job="mine", name="ci", hash="h", created_at=1.0, created_by="token:boss")
    await home.store.write(lambda s: hooks.add(s, made) and None)
    await home.bot.calls.move(of_hook("mine", "ci"), "mine", "2.0", unchecked)
    await home.tools.registry.remove("mine", actor="token:boss", expected=lambda version: True)
    assert await home.store.read(lambda s: (list(hooks.list(s)), image_tags.of(s, "mine"))) == ([], None)


async def test_rerun_is_as_it_was_or_changed_where_said(home: House) -> None:
    calls = home.bot.calls
    old = (await calls.start(BOSS, "plain", StartRequest({"WHO": "Ada"}, image_tag="2.0"))).run
    again = (await calls.rerun(RUNNER, 1)).run
    assert (again.rerun_of, again.parameters, reference(again)) == (
        1,
        old.parameters,
        "ghcr.io/acme/tools:2.0",
    )
    assert (again.actor, again.cause) == ("token:runner", "api")
    other = (await calls.rerun(RUNNER, 1, RerunRequest({"WHO": "Bob"}, latest=True))).run
    assert (other.parameters, reference(other)) == ({"WHO": "Bob"}, "ghcr.io/acme/tools:1")


async def test_what_a_run_was_for_its_repetition_is_for_as_well(home: House) -> None:
    await home.says("/job run plain WHO=Ada")
    first = await home.run(1)
    assert (first.pull_request, first.environment) == (7, None)
    again = (await home.bot.calls.rerun(RUNNER, 1)).run
    elsewhere = (await home.bot.calls.start(BOSS, "plain", StartRequest({"WHO": "Ada"}))).run
    assert (again.pull_request, elsewhere.pull_request) == (7, None)


async def mended(home: House) -> None:
    """`plain` takes only letters from now on, and nothing else but WHO."""
    job = home.tools.registry.catalog.jobs["plain"]
    parameters = {"WHO": Parameter(pattern="[a-z]+", default="you")}
    jobs = {**home.tools.registry.config.jobs, "plain": job.model_copy(update={"parameters": parameters})}
    await home.tools.registry.apply(home.tools.registry.config.model_copy(update={"jobs": jobs}))


async def test_what_is_changed_of_a_repeated_run_has_to_fit_todays_definition(home: House) -> None:
    calls = home.bot.calls
    await calls.start(RUNNER, "plain", StartRequest({"WHO": "Ada"}))
    await mended(home)
    rerun = calls.rerun(RUNNER, 1, RerunRequest({"WHO": "a;id"}))
    error = await refused(rerun, "text that matches `[a-z]+` today, not `a;id`", "With `latest`")
    assert error.mistakes[0][0] == ("parameters", "WHO")
    (reply,) = await home.says("/job rerun #1 WHO='a;id'")
    assert "With `--latest` all of today's definition counts." in reply
    assert (await calls.rerun(RUNNER, 1)).run.parameters == {"WHO": "Ada"}  # exactly as before
    assert (await calls.rerun(RUNNER, 1, RerunRequest({"WHO": "bob"}))).run.parameters == {"WHO": "bob"}


async def test_parameter_that_was_taken_away_is_given_to_no_repeated_run(home: House) -> None:
    calls = home.bot.calls
    await calls.start(RUNNER, "plain", StartRequest({"WHO": "Ada"}))
    job = home.tools.registry.catalog.jobs["plain"].model_copy(update={"parameters": {}})
    jobs = {**home.tools.registry.config.jobs, "plain": job}
    await home.tools.registry.apply(home.tools.registry.config.model_copy(update={"jobs": jobs}))
    await refused(calls.rerun(RUNNER, 1, RerunRequest({"WHO": "Bob"})), "is no parameter any more")


async def test_waiting_run_is_cancelled_and_an_ended_one_stays(home: House) -> None:
    calls = home.bot.calls
    await calls.start(BOSS, "plain", StartRequest())
    assert [(await calls.cancel(RUNNER, RunReference(1))).result for _ in range(2)] == [
        "cancelled",
        "cancelled",
    ]
    assert (await home.run(1)).stop_by == "token:runner"


# Single commands ----------------------------------------------------------------------------------

OPS = Caller("token:ops", frozenset({"exec"}))


async def test_single_command_runs_in_what_images_name(home: House) -> None:
    calls = home.bot.calls
    for image in ("tools", "ghcr.io/acme/tools:9", f"ghcr.io/acme/shop@sha256:{'2' * 64}", "container/web"):
        run = (await calls.execute(OPS, Single(image, ("ls", "-l")))).run
        assert (run.job, run.actor, run.definition["command"]) == ("exec", "token:ops", ["ls", "-l"])
        await home.bot.runner.carry(await home.claim(Run))
        spec = home.engine.specs[-1]
        assert isinstance(spec, RunSpec)
        assert spec.command == ("ls", "-l")
    wanted = ["ghcr.io/acme/tools:1", "ghcr.io/acme/tools:9", f"ghcr.io/acme/shop@sha256:{'2' * 64}"]
    assert home.engine.pinned == [*wanted, Live("container/web")]
    last = home.engine.specs[-1]
    assert isinstance(last, RunSpec)
    assert last.live == Live("container/web")
    built = (await calls.execute(OPS, Single("shop", "ls", timeout=5.0, workdir="/app"))).run
    assert (built.image, built.commit is not None, built.definition["timeout"]) == ("shop", True, 5.0)


@pytest.mark.parametrize(
    "image",
    [
        "alpine",
        "ghcr.io/acme/other:1",
        "ghcr.io/acme/tools/evil:1",
        "container/other",
        "deployment/web",
        "..",
        "x" * 300,
    ],
)
async def test_single_command_names_nothing_else(home: House, image: str) -> None:
    error = await refused(home.bot.calls.execute(OPS, Single(image, ("ls",))), "images")
    assert error.mistakes[0][0] == ("image",)


async def test_single_command_needs_its_own_scope_and_is_nobody_elses_to_start(home: House) -> None:
    calls = home.bot.calls
    for caller in (RUNNER, of_token("all", frozenset({"run:*", "read"})), of_hook("plain", "ci")):
        with pytest.raises(NotAllowed):
            await calls.execute(caller, Single("tools", ("ls",)))
    number = (await calls.execute(OPS, Single("container/web", ("env",)))).run.identity
    everything = of_token("all", frozenset({"run:*"}))
    for call in (calls.cancel(everything, RunReference(number)), calls.rerun(everything, number)):
        with pytest.raises(Missing):
            await call
    with pytest.raises(Missing):
        await calls.start(OPS, "exec", StartRequest())
    for words in ("cancel", "logs", "rerun", "status"):
        assert f"There is no run #{number}." in (await home.says(f"/job {words} #{number}"))[0]
    assert "There is no job" in (await home.says("/job run exec"))[0]
    assert (await calls.rerun(OPS, number)).run.job == "exec"


async def test_single_command_is_not_repeated_where_images_name_its_image_no_more(home: House) -> None:
    number = (await home.bot.calls.execute(OPS, Single("container/web", ("env",)))).run.identity
    images = {name: each for name, each in home.tools.registry.config.images.items() if name != "live"}
    other = home.without(config=home.tools.registry.config.model_copy(update={"images": images}))
    with pytest.raises(NotAllowed, match="names any more"):
        await other.bot.calls.rerun(OPS, number)


@pytest.mark.parametrize("command", ["", (), ("",), "a\0b", ("ls", "a\0")])
async def test_single_command_that_is_none(home: House, command: str | tuple[str, ...]) -> None:
    error = await refused(home.bot.calls.execute(OPS, Single("tools", command)))
    assert error.mistakes[0][0] == ("command",)


async def test_process_engine_runs_single_commands_in_a_checkout_and_has_no_tags(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        calls = made.bot.calls
        run = (await calls.execute(OPS, Single("shop", ("ls",)))).run
        assert (run.job, run.image, run.repository) == ("exec", "shop", "Acme/Shop")
        assert run.commit is not None
        await refused(calls.execute(OPS, Single("ghcr.io/acme/tools:1", ("ls",))))
        with pytest.raises(NotAllowed, match="containers"):
            await calls.move(of_hook("check", "ci"), "check", "1", unchecked)
        assert len(await made.store.read(lambda s: runs.page(s))) == 1
