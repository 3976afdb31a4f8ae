"""Jobs in images that are not built: pinned before they start, kept for a rerun, asked for by who may."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.catalog.catalog import Catalog
from bot.config import Config, job_of, load
from bot.config.settings import Api
from bot.messages import tick_note
from bot.store import ticks
from bot.tables import Build, Run
from bot.workers import specs, worker
from demo.watched import PATIENCE
from executor.errors import EngineUnavailable
from executor.spec import BuildSpec, Live, Outcome, Pending, Result, RunSpec, Secret, Started
from tests.bot.house import Document, House, house, merged

PINNED = "ghcr.io/acme/tools@sha256:" + "1" * 64
OK = Outcome(Result.SUCCEEDED, exit_code=0)


CONTAINED = {
    "engine": {"kind": "container"},
    "images": {
        "shop": {
            "build": {"target": "runtime", "arguments": {"A": "b"}, "secrets": ["API_KEY"]},
            "push": "ghcr.io/acme/shop",
        },
        "tools": {"reference": "ghcr.io/acme/tools:1"},
        "live": {"workload": "container/web"},
    },
    "jobs": {
        "plain": {"image": "tools"},
        "words": {"image": "live", "read_only": True},
        "often": {"image": "tools", "command": "true", "schedule": {"cron": "* * * * *"}, "lock": "prod"},
    },
    "sizes": {"half": {"cpu": "500m"}},
    "defaults": {"size": "half"},
}
"""The house with the container engine, and images of all forms."""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CONTAINED) as made:
        made.engine.plans = [[Started(made.now), OK]]
        made.engine.pins = [[Outcome(Result.SUCCEEDED, image=PINNED)]]
        yield made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr(worker, "AGAIN", 0.001)


def asked_for(home: House) -> RunSpec:
    """The last run that the engine was asked for."""
    spec = home.engine.specs[-1]
    assert isinstance(spec, RunSpec)
    return spec


async def test_reference_is_pinned_before_the_run_starts(home: House) -> None:
    await home.says("/job run plain")
    stored = await home.run(1)
    assert (stored.image, stored.digest, stored.build_number, stored.commit) == ("tools", None, None, None)
    assert stored.image_definition is not None
    assert stored.image_definition["reference"] == "ghcr.io/acme/tools:1"
    seen: list[tuple[str, str | None]] = []

    async def look() -> None:
        now = await home.run(1)
        seen.append((now.state, now.digest))

    home.engine.plans = [[look, Started(home.now), OK]]
    await home.bot.runner.carry(await home.claim(Run))
    assert home.engine.pinned == ["ghcr.io/acme/tools:1"]
    assert seen == [("starting", PINNED)]
    assert ((await home.run(1)).result, asked_for(home).image) == ("succeeded", PINNED)
    assert (asked_for(home).live, asked_for(home).cpu, asked_for(home).read_only) == (None, 0.5, False)


async def test_job_of_the_api_runs_in_an_image_that_it_names_itself(home: House) -> None:
    registry = home.tools.registry
    await registry.apply(registry.config.model_copy(update={"api": Api(registries=("quay.io",))}))
    own = b'{"command": "true", "image": "quay.io/acme/other:2"}'
    await registry.put(job_of(own, "own", registry.config), actor="token:boss", expected=lambda held: True)
    await home.says("/job run own")
    await home.bot.runner.carry(await home.claim(Run))
    assert home.engine.pinned == ["quay.io/acme/other:2"]
    assert ((await home.run(1)).image, (await home.run(1)).result) == ("quay.io/acme/other:2", "succeeded")
    await home.says("/job rerun #1")
    await home.bot.runner.carry(await home.claim(Run))
    assert (await home.run(2)).result == "succeeded"
    await registry.apply(registry.config.model_copy(update={"api": Api()}))
    assert "There is no image" in (await home.says("/job run own"))[0]
    assert "quay.io is none of the registries" in (await home.says("/job rerun #1"))[0]


async def test_run_in_a_live_image_has_its_workload(home: House) -> None:
    await home.says("/job run words")
    await home.bot.runner.carry(await home.claim(Run))
    assert home.engine.pinned == [Live("container/web")]
    assert (asked_for(home).live, asked_for(home).image) == (Live("container/web"), PINNED)
    assert asked_for(home).read_only


async def test_what_a_registry_takes_its_time_for_is_told(home: House) -> None:
    await home.says("/job run plain")
    seen: list[tuple[str, str | None]] = []

    async def look() -> None:
        now = await home.run(1)
        seen.append((now.state, now.waiting_for))

    home.engine.pins = [[Pending("the image is fetched"), look, Outcome(Result.SUCCEEDED, image=PINNED)]]
    await home.bot.runner.carry(await home.claim(Run))
    assert seen == [("waiting", "the image is fetched")]
    assert (await home.run(1)).waiting_for is None


async def test_image_that_cannot_be_had_ends_the_run_with_the_registry_s_words(
    home: House,
) -> None:
    await home.says("/job run plain")
    refused = Outcome(Result.ERROR, reason="PullRefused", message="denied: no access to acme/tools")
    home.engine.pins = [[refused]]
    await home.bot.runner.carry(await home.claim(Run))
    run = await home.run(1)
    assert (run.state, run.result, run.reason) == ("finished", "error", "PullRefused")
    assert (run.message, run.exit_code, home.engine.specs) == ("denied: no access to acme/tools", None, [])


async def test_engine_that_is_down_while_an_image_is_looked_up_is_asked_again(home: House) -> None:
    await home.says("/job run plain")
    seen: list[str | None] = []

    async def look() -> None:
        seen.append((await home.run(1)).waiting_for)

    gone = EngineUnavailable("no socket", delay=0.001)
    home.engine.pins = [[gone], [look, Outcome(Result.SUCCEEDED, image=PINNED)]]
    await home.bot.runner.carry(await home.claim(Run))
    assert seen == ["The engine does not answer: no socket"]
    assert (await home.run(1)).result == "succeeded"


async def test_cancel_ends_a_run_whose_image_is_being_fetched(home: House) -> None:
    await home.says("/job run plain")
    run, fetching = await home.claim(Run), asyncio.Event()

    async def forever() -> None:
        fetching.set()
        await asyncio.Event().wait()

    home.engine.pins = [[forever]]
    hand = home.bot.runner
    carrying = asyncio.create_task(hand.carry(run))
    await fetching.wait()
    await home.says("/job cancel #1")
    await hand.stop(run)
    async with asyncio.timeout(PATIENCE):
        await carrying
    ended = await home.run(1)
    assert (ended.state, ended.result, home.engine.specs) == ("finished", "cancelled", [])


async def test_service_that_ends_while_an_image_is_fetched_leaves_the_run_to_the_next(home: House) -> None:
    await home.says("/job run plain")
    run, fetching = await home.claim(Run), asyncio.Event()

    async def forever() -> None:
        fetching.set()
        await asyncio.Event().wait()

    home.engine.pins = [[forever], [Outcome(Result.SUCCEEDED, image=PINNED)]]
    carrying = asyncio.create_task(home.bot.runner.carry(run))
    await fetching.wait()
    carrying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await carrying
    assert (await home.run(1)).state == "waiting"
    await home.bot.runner.carry(await home.run(1))
    assert (await home.run(1)).result == "succeeded"


async def test_rerun_takes_the_same_digest_and_the_newest_only_if_asked(home: House) -> None:
    await home.says("/job run words")
    await home.bot.runner.carry(await home.claim(Run))
    other = PINNED.replace("1" * 64, "2" * 64)
    home.engine.pins = [[Outcome(Result.SUCCEEDED, image=other)]]
    live = {"images": {"live": {"workload": "container/other"}}}
    changed = home.without(config=_config(home, live))
    await changed.says("/job rerun #1")
    assert (await home.run(2)).digest == PINNED
    await changed.bot.runner.carry(await home.claim(Run))
    assert (home.engine.pinned, asked_for(home).image) == ([Live("container/web")], PINNED)
    assert asked_for(home).live == Live("container/web")
    await changed.says("/job rerun #1 --latest")
    assert (await home.run(3)).digest is None
    await changed.bot.runner.carry(await home.claim(Run))
    assert (home.engine.pinned[-1], asked_for(home).image) == (Live("container/other"), other)


def _config(home: House, changes: Document) -> Config:
    file = home.home / "changed.yaml"
    file.write_text(json.dumps(merged(json.loads((home.home / "app.yaml").read_text()), changes)))
    return load(file, {"KEY": home.github.private_key, "API_KEY": "s3cr3t"})


async def test_pinned_image_that_is_gone_is_fetched_again_by_its_digest(home: House) -> None:
    await home.says("/job run plain")
    await home.bot.runner.carry(await home.claim(Run))
    await home.says("/job rerun #1")
    home.engine.gone.add(PINNED)
    await home.bot.runner.carry(await home.claim(Run))
    assert home.engine.pinned[1:] == [PINNED]
    assert ((await home.run(2)).result, (await home.run(2)).digest) == ("succeeded", PINNED)
    await home.says("/job rerun #1")
    home.engine.pins = [[Outcome(Result.ERROR, reason="ImageMissing", message="manifest unknown")]]
    await home.bot.runner.carry(await home.claim(Run))
    ended = await home.run(3)
    assert (ended.result, ended.reason, ended.message) == ("error", "ImageMissing", "manifest unknown")


async def test_build_gets_its_recipe_with_secrets_of_now(home: House) -> None:
    await home.says("/job build shop")
    build = await home.claim(Build)
    assert "s3cr3t" not in str(build.definition)
    await home.bot.builder.carry(build)
    spec = home.engine.specs[-1]
    assert isinstance(spec, BuildSpec)
    assert spec.recipe is not None
    assert (spec.recipe.target, spec.recipe.push) == ("runtime", "ghcr.io/acme/shop")
    assert (spec.recipe.arguments, spec.recipe.secrets) == ({"A": "b"}, {"API_KEY": Secret("s3cr3t")})


async def test_build_without_its_secret_ends_as_an_error(home: House) -> None:
    await home.says("/job build shop")
    home.tools.registry.config._environ = {}
    await home.bot.builder.carry(await home.claim(Build))
    build = await home.build(1)
    assert (build.result, build.reason) == ("error", "NotConfigured")
    assert "the environment variable API_KEY is not set" in str(build.message)
    assert home.engine.specs == []


async def test_secret_of_a_build_is_masked_in_the_log_of_errand(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked: list[Secret] = []
    monkeypatch.setattr(specs, "mask", masked.extend)
    await home.says("/job build shop")
    await home.bot.builder.carry(await home.claim(Build))
    assert masked == [Secret("s3cr3t")]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("build tools", "`tools` is not built here: it comes from a registry, `ghcr.io/acme/tools:1`."),
        ("build live", "`live` is not built here: it is what a workload runs, `container/web`."),
        ("run plain --ref main", "`tools` is not built here, so `--ref` has no commit to choose."),
        ("plan plain", "image `tools`: `ghcr.io/acme/tools:1`, looked up when it starts"),
        ("plan words", "image `live`: `container/web`, as that workload runs it then"),
        ("why plain", "no image that is built, so no push starts it"),
    ],
)
async def test_answer_about_an_image_that_is_not_built(home: House, words: str, answer: str) -> None:
    assert answer in "\n".join(await home.says(f"/job {words}"))


async def test_nobody_s_rights_are_known_where_no_repository_is_asked_from(home: House) -> None:
    for words in ("run plain", "why plain", "pause often"):
        (reply,) = await home.types(words)
        assert "The image of this job is not built here, so no repository says who may" in reply
    (denied,) = await home.says("/job run plain", author="reader")
    assert "needs write access" in denied


async def test_repository_that_is_asked_from_says_who_may_lock_and_pause(home: House) -> None:
    assert "needs write access" in "".join(await home.says("/job lock prod", author="reader"))
    assert "is locked" in "".join(await home.says("/job lock prod"))
    assert "paused" in "".join(await home.says("/job pause often"))


async def test_public_place_knows_the_jobs_of_no_repository(home: House) -> None:
    (reply,) = await home.says("/job list", repository="acme/site")
    assert "plain" in reply
    assert "deploy" not in reply
    await home.says("/job run plain", repository="acme/site")
    assert (await home.run(1)).repository == "acme/site"


async def test_schedule_starts_a_job_in_an_image_that_is_not_built(home: House) -> None:
    ticks = home.bot.ticks
    await ticks.turn()
    home.now += 61
    await ticks.turn()
    run = await home.run(1)
    assert (run.job, run.image, run.repository, run.digest) == ("often", "tools", None, None)
    await home.bot.runner.carry(await home.claim(Run))
    assert (await home.run(1)).digest == PINNED


async def test_schedule_of_a_job_whose_image_was_taken_away_starts_nothing(home: House) -> None:
    jobs, images = home.tools.registry.catalog.jobs, dict(home.tools.registry.catalog.images)
    del images["tools"]
    home.tools.registry._today = replace(home.tools.registry._today, catalog=Catalog(jobs, images))
    turning = home.bot.ticks
    await turning.turn()
    home.now += 61
    await turning.turn()
    (tick,) = await home.store.read(lambda session: ticks.newest(session, "often", limit=5))
    assert (tick.outcome, tick_note(tick)) == ("missed", "There is no image tools any more.")
    for words in ("run often", "pause often", "lock prod"):
        (reply,) = await home.says(f"/job {words}")
        assert "There is no image `tools`" in reply or "No repository says who may do that" in reply
