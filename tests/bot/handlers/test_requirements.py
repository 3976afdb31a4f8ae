"""What a job requires of a pull request, asked of a GitHub that is as strict as the real one."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Target
from bot.handlers.places import TerminalPlace
from bot.handlers.requirements import RequirementHandler
from bot.states import Cause
from demo.github.state import Check, Pull, PullReview, Repository, Status
from tests.bot.handlers.test_ready_images import CONTAINED
from tests.bot.house import HEAD, SHOP, Document, House, house

TOPIC = "c" * 40
ALL = ["checks", "review", "up_to_date", "not_draft", {"base": ["main", "release/*"]}, "signed"]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    jobs = {"check": {"requires": ALL}, "deploy": {"requires": [{"base": ["main"]}]}}
    async with house(tmp_path, changes={"jobs": jobs}) as made:
        repository, pull = _shop(made)
        repository.parents[TOPIC] = HEAD
        repository.refs["topic"] = TOPIC
        made.github.add_person(SHOP, "hubot", "write")
        pull.reviews.append(PullReview("hubot", "APPROVED", TOPIC))
        _check(made, "test", "success")
        yield made


def _shop(home: House) -> tuple[Repository, Pull]:
    repository = home.github.state.repositories[SHOP]
    return repository, repository.pulls[7]


def _check(home: House, name: str, conclusion: str | None, app: int = 15368, at: str = "2026-01-01") -> None:
    """A check run of some App."""
    made = Check(next(home.github.state.ids), SHOP, TOPIC, app, name)
    made.status, made.conclusion = ("completed", conclusion) if conclusion else ("in_progress", None)
    made.started_at = f"{at}T00:00:00Z" if at else None
    home.github.state.checks.append(made)


def _status(home: House, context: str, state: str) -> None:
    home.github.state.statuses.append(
        Status(next(home.github.state.ids), SHOP, TOPIC, "ci", state, context, None, None, home.now)
    )


async def test_all_that_holds_is_shown_with_ticks_and_runs(home: House) -> None:
    (plan,) = await home.says("/job plan check")
    assert plan.count("✅") == len(ALL)
    assert "nothing is in its way" in plan
    await home.says("/job run check")
    assert (await home.run(1)).commit == TOPIC


def _behind(home: House) -> None:
    repository, _ = _shop(home)
    repository.parents["d" * 40] = HEAD
    repository.refs["main"] = "d" * 40


def _reviewed(login: str, state: str, commit: str = TOPIC) -> Callable[[House], None]:
    return lambda home: _shop(home)[1].reviews.append(PullReview(login, state, commit))


def _alone(login: str, state: str, commit: str = TOPIC) -> Callable[[House], None]:
    def review(home: House) -> None:
        _shop(home)[1].reviews[:] = [PullReview(login, state, commit)]

    return review


def _set(**values: object) -> Callable[[House], None]:
    def change(home: House) -> None:
        for name, value in values.items():
            setattr(_shop(home)[1], name, value)

    return change


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda home: _check(home, "lint", "failure"), "checks", "`lint: failure`"),
        (lambda home: _check(home, "lint", None), "checks", "`lint: in_progress`"),
        (lambda home: _check(home, "test", "cancelled", at="2026-01-02"), "checks", "`test: cancelled`"),
        (lambda home: _status(home, "ci/old", "pending"), "checks", "`ci/old: pending`"),
        (lambda home: home.github.state.checks.clear(), "checks", "no check"),
        (lambda home: home.github.fail("/statuses", 403), "checks", "does not tell all of its checks"),
        (_alone("reader", "APPROVED"), "review", "nobody who may write"),
        (_alone("hubot", "APPROVED", HEAD), "review", "nobody who may write has approved this commit"),
        (_alone("octocat", "APPROVED"), "review", "nobody who may write"),  # who wrote it
        (_alone("hubot", "COMMENTED"), "review", "nobody who may write"),
        (_reviewed("hubot", "DISMISSED"), "review", "nobody who may write"),
        (_reviewed("hubot", "CHANGES_REQUESTED"), "review", "changes were asked for by `hubot`"),
        (_behind, "up_to_date", "1 commit of `main`"),
        (_set(draft=True), "not_draft", "draft"),
        (_set(base_ref="feature"), "base", "not for `main`, `release/*`"),
        (lambda home: _shop(home)[0].unsigned.add(TOPIC), "signed", f"`{TOPIC[:7]}`"),
        (_set(commits=[TOPIC] * 250), "signed", "does not tell whether all"),
        (_set(commits=[HEAD]), "signed", "does not tell whether all"),  # pushed to between two questions
        (lambda home: _check(home, "test", None, at=""), "checks", "`test: in_progress`"),
        (
            lambda home: [_reviewed(f"n{number}", "CHANGES_REQUESTED")(home) for number in range(31)],
            "review",
            "does not tell all of its reviews",
        ),
    ],
)
async def test_what_does_not_hold_is_refused_by_its_code(
    home: House, change: Callable[[House], None], code: str, words: str
) -> None:
    change(home)
    (reply,) = await home.says("/job run check")
    assert f"❌ `{code}`: " in reply
    assert words in reply
    assert "`check` was not started" in reply
    with pytest.raises(AssertionError):
        await home.run(1)


@pytest.mark.parametrize(
    "change",
    [
        lambda home: _check(home, "test", "failure", at="2025-12-31"),  # an older run of the same name
        lambda home: _check(home, "errand / check", "failure", app=home.github.app_id),
        lambda home: _check(home, "docs", "neutral"),
        lambda home: _check(home, "docs", "skipped"),
        _reviewed("reader", "CHANGES_REQUESTED"),  # who may not write
        _reviewed("hubot", "COMMENTED"),
    ],
)
async def test_what_does_not_count_holds_nothing_up(home: House, change: Callable[[House], None]) -> None:
    change(home)
    await home.says("/job run check")
    assert (await home.run(1)).commit == TOPIC


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("/job run deploy SECRETIVE=x --ref main", True),
        (f"/job run deploy SECRETIVE=x --ref {HEAD}", True),
        ("/job run deploy SECRETIVE=x --ref feature", False),
        (
            f"/job run deploy SECRETIVE=x --ref {TOPIC}",
            True,
        ),  # the head of the pull request, which is for main
    ],
)
async def test_other_commits_have_to_be_on_a_branch_that_one_may_be_for(
    home: House, line: str, runs: bool
) -> None:
    replies = await home.says(line)
    assert any("❌ `base`" in reply and "is not on `main`" in reply for reply in replies) is not runs


async def test_tag_that_somebody_names_is_not_what_was_reviewed(tmp_path: Path) -> None:
    changes: Document = json.loads(json.dumps(CONTAINED))
    changes["jobs"]["check"] = {"image": "tools", "requires": ["not_draft"]}
    async with house(tmp_path, changes=changes) as home:
        await home.says("/job run check")
        assert (await home.run(1)).job == "check"
        (reply,) = await home.says("/job run check --image other")
        assert "❌ `base`: a tag of an image is no pull request's" in reply


async def test_slack_is_held_to_the_branch_as_well(home: House) -> None:
    await home.types("run check")
    assert (await home.run(1)).commit == HEAD
    replies = await home.types("run check --ref feature")
    assert any("❌ `base`" in reply for reply in replies)


async def test_run_that_is_repeated_as_it_was_is_not_asked_about_again(home: House) -> None:
    await home.says("/job run check")
    _check(home, "test", "failure", at="2026-02-01")
    await home.says("/job rerun #1")
    assert (await home.run(2)).rerun_of == 1
    (reply,) = await home.says("/job rerun #1 --latest")
    assert "❌ `checks`" in reply


async def test_chat_on_the_command_line_asks_about_no_pull_request(home: House) -> None:
    context = RequestContext("k", Cause.CHAT, "terminal:me", "me", TerminalPlace(SHOP))
    job = home.tools.registry.catalog.job("check")
    handler = RequirementHandler(home.bot.host)
    assert await handler.verdicts(context, job, Target(SHOP, public=False)) == []
