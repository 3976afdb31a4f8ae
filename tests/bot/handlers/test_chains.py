"""What follows a run starts once, by its own rules, on the same commit; what does not is told."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot import messages
from bot.catalog.chains import Link
from bot.errors import NotAllowed
from bot.messages.chains import in_open, steps
from bot.messages.slack.cards import blocks as slack_blocks
from bot.store import Session, chains, deliveries, journal, runs, tokens
from bot.tables import Build, Delivery, Run
from executor.spec import Outcome, Result, Started
from tests.bot.house import House, house

JOBS = """
migrate: {image: shop, command: x, then: [{job: release, parameters: {WHERE: live}}, tell]}
release: {image: shop, command: x, parameters: {WHERE: {required: true}}, then: tell}
tell: {command: x}
alone: {image: shop, command: x, concurrency: forbid}
before: {image: shop, command: x, then: [alone]}
"""
OK = Outcome(Result.SUCCEEDED, exit_code=0)
BAD = Outcome(Result.FAILED, exit_code=1)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        yield made


async def carry(home: House, end: Outcome = OK) -> Run:
    """Carry the run that comes next, and its build first, to this end."""
    waiting = await home.store.read(lambda s: s.query(Build).filter(Build.state == "waiting").count())  # type: ignore[arg-type]
    if waiting:
        home.engine.plans = [[Outcome(Result.SUCCEEDED, image="tree:1")]]
        await home.bot.builder.carry(await home.claim(Build))
    home.engine.plans = [[Started(home.now), end]]
    (row,) = await home.write(
        lambda s: runs.claim(s, owner=home.tools.owner, now=home.now, lease=60.0, limit=1)
    )
    await home.bot.runner.carry(row)
    return await home.run(row.identity)


def _claim(session: Session, home: House) -> list[Delivery]:
    return list(deliveries.claim(session, owner=home.tools.owner, now=home.now, lease=60.0, limit=10))


async def follow(home: House) -> int:
    """Decide what follows; gives how many such things there were to decide."""
    rows = await home.write(lambda s: _claim(s, home))
    for row in rows:
        await home.bot.deliveries.handle(row)
    return len(rows)


async def test_success_starts_what_follows_with_its_parameters_on_the_same_commit(home: House) -> None:
    await home.says("/job run migrate")
    first = await carry(home)
    assert await follow(home) == 1
    release, tell = await home.run(2), await home.run(3)
    assert (release.job, release.parameters, release.commit) == ("release", {"WHERE": "live"}, first.commit)
    assert (release.cause, release.actor, release.pull_request) == ("chain", first.actor, first.pull_request)
    assert [(run.chain, run.follows) for run in (first, release, tell)] == [(None, None), (1, 1), (1, 1)]
    assert (await home.run(1)).followed == [{"job": "release", "run": 2}, {"job": "tell", "run": 3}]
    assert (tell.job, tell.repository) == ("tell", first.repository)
    await carry(home)
    await follow(home)
    last = await home.run(4)
    assert (last.job, last.chain, last.follows) == ("tell", 1, 2)


async def test_failure_starts_nothing(home: House) -> None:
    await home.says("/job run migrate")
    await carry(home, BAD)
    assert await follow(home) == 0
    assert (await home.run(1)).followed is None


async def test_it_happens_once_whatever_crashes(home: House) -> None:
    await home.says("/job run migrate")
    await carry(home)
    (row,) = await home.write(lambda s: _claim(s, home))
    await home.bot.deliveries.handle(row)
    with pytest.raises(Exception, match="not held"):
        await home.bot.deliveries.handle(row)  # another bot that was slow
    assert await home.store.read(lambda s: runs.get(s, 4)) is None
    assert await follow(home) == 0


async def test_job_that_is_gone_is_told_and_the_others_start(home: House) -> None:
    await home.says("/job run migrate")
    await carry(home)
    registry = home.tools.registry
    jobs = {name: job for name, job in registry.config.jobs.items() if name != "release"}
    await registry.apply(registry.config.model_copy(update={"jobs": jobs}))
    await follow(home)
    followed = (await home.run(1)).followed
    assert followed is not None
    assert "There is no job `release`" in followed[0]["why"]["text"]
    assert followed[1] == {"job": "tell", "run": 2}


async def test_each_is_started_by_its_own_rules(home: House) -> None:
    await home.says("/job run before")
    await home.says("/job run alone")
    await carry(home)
    await follow(home)
    followed = (await home.run(1)).followed
    assert followed is not None
    assert followed[0]["why"]["kind"] == "alone"


async def test_who_lost_the_right_starts_nothing_more(home: House) -> None:
    await home.says("/job run migrate")
    await carry(home)
    home.github.add_person("acme/shop", "octocat", "read")
    await follow(home)
    followed = (await home.run(1)).followed
    assert followed is not None
    assert ["why" in each for each in followed] == [True, True]
    (last, *_) = await home.store.read(lambda s: journal.newest(s, limit=1))
    assert (last.kind, last.job, last.run, last.actor) == ("refused", "tell", 1, "github:octocat")


async def test_definitions_that_became_a_circle_end(home: House) -> None:
    await home.says("/job run migrate")
    await carry(home)
    await follow(home)
    await home.write(lambda s: _turn_round(s))
    await carry(home)
    await follow(home)
    followed = (await home.run(2)).followed
    assert followed is not None
    assert followed[0]["why"] == {"kind": "circle", "jobs": ["migrate", "release", "migrate"]}


def _turn_round(session: Session) -> None:
    run = session.get_one(Run, 2)
    run.definition = {**run.definition, "then": {"job": "migrate"}}


async def test_card_page_and_plan_show_one_chain(home: House) -> None:
    (told,) = await home.says("/job plan migrate")
    assert "its success starts `release` with `WHERE=live`, `tell`" in told
    await home.says("/job run migrate")
    await carry(home)
    await follow(home)
    await carry(home, BAD)
    links = await home.store.read(lambda s: chains.of_run(s, s.get_one(Run, 1)))
    assert [(step.job, step.number, step.word.label) for step in steps(links)] == [
        ("migrate", 1, "succeeded"),
        ("release", 2, "failed"),
        ("tell", 3, "waiting"),
    ]
    assert await home.store.read(lambda s: chains.of_run(s, s.get_one(Run, 3))) == links
    assert in_open(links, "Acme/Shop") == []
    view = messages.run_view(await home.run(1), messages.Beside(chain=steps(links)))
    card = messages.comment(view, None, nonce="abc")
    assert "chain: ✅ **`migrate` #" in card
    assert "❌ `release` #" in card
    text = json.dumps(slack_blocks(view, None)[1])
    assert "chain: " in text


async def test_what_is_not_started_stands_on_the_card_as_text(home: House) -> None:
    link = Link(
        "gone", after=1, why={"kind": "answer", "text": "There is no job `gone` @everyone <!channel>."}
    )
    view = messages.run_view(
        Run(key="k", name="n", number=1, job="migrate", cause="api", actor="token:ci", created_at=0.0)
    )
    view = replace(
        view, beside=messages.Beside(chain=steps([Link("migrate", 1, "finished", "succeeded"), link]))
    )
    card = messages.comment(view, None, nonce="abc")
    assert "🚫 `gone` is not started" in card
    assert "@everyone" not in card
    assert "<!channel>" not in json.dumps(slack_blocks(view, None)[1])


def _origin(actor: str, cause: str, **more: object) -> Run:
    run = Run(key="k", name="n", number=1, job="migrate", cause=cause, actor=actor, created_at=0.0)
    for name, value in more.items():
        setattr(run, name, value)
    return run


async def _may(home: House, origin: Run, job: str) -> bool:
    try:
        await home.bot.approvals.askers.admitted(origin, home.tools.registry.catalog.job(job), "chain:1")
    except NotAllowed:
        return False
    return True


async def test_token_and_hook_start_only_what_their_scopes_open(home: House) -> None:
    for name, held in (("one", ["run:migrate"]), ("both", ["run:migrate", "run:release"])):
        await home.write(partial(tokens.add, name=name, hash=name.ljust(64, "0"), now=0.0, scopes=held))
    assert not await _may(home, _origin("token:one", "api"), "release")
    assert await _may(home, _origin("token:both", "api"), "release")
    assert not await _may(home, _origin("token:gone", "api"), "release")
    assert not await _may(home, _origin("hook:migrate/ci", "hook"), "release")


@pytest.mark.parametrize(
    ("rule", "may"),
    [
        ("actions:acme/shop", True),
        ("actions:acme/shop@refs/heads/main", True),
        ("actions:acme/shop@refs/heads/live", False),
        ("actions:acme/other", False),
        ("actions:acme/shop:environment:live", False),
        ("actions:acme/shop:workflow:deploy.yml", False),
        ("actions:acme/shop#7", False),
    ],
)
async def test_workflow_starts_only_what_a_rule_certainly_lets_it(home: House, rule: str, may: bool) -> None:
    registry = home.tools.registry
    job = registry.config.jobs["release"].model_copy(update={"allow": (rule,)})
    jobs = {**registry.config.jobs, "release": job}
    await registry.apply(registry.config.model_copy(update={"jobs": jobs}))
    assert await _may(home, _origin("actions:acme/shop@refs/heads/main", "actions"), "release") is may


async def test_chain_whose_first_run_is_gone_asks_for_rights(home: House) -> None:
    home.github.add_person("acme/shop", "octocat", "read")
    origin = _origin("github:octocat", "chain", chain=999, repository="Acme/Shop")
    assert not await _may(home, origin, "release")


async def test_what_happened_starts_what_follows_it(home: House) -> None:
    assert await _may(home, _origin("schedule", "schedule"), "release")
    assert await _may(home, _origin("github:nobody", "push"), "release")
