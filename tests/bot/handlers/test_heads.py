"""A comment's code is what the pull request had when it was written."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.states import State
from demo.github.state import Move, Pull, Repository
from tests.bot.handlers.test_reviews import _review
from tests.bot.house import SHOP, House, house

OLD, NEW = "c" * 40, "e" * 40


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


def _shop(home: House) -> tuple[Repository, Pull]:
    repository = home.github.state.repositories[SHOP]
    return repository, repository.pulls[7]


def _push(home: House, after: str, seconds: float) -> None:
    """Somebody pushes to the branch of the pull request, so long after the comment is written."""
    repository, pull = _shop(home)
    repository.parents[after] = pull.head_sha
    repository.refs["topic"] = after
    repository.moves.append(Move("refs/heads/topic", pull.head_sha, after, int(home.now) + seconds))
    pull.head_sha = after


@pytest.mark.parametrize("seconds", [0.0, 1.0])
async def test_push_after_the_comment_is_refused_with_what_came_in(home: House, seconds: float) -> None:
    _push(home, NEW, seconds)
    (reply,) = await home.says("/job run deploy SECRETIVE='a b'")
    assert "other commits since" in reply
    assert "One came in between" in reply
    assert f"`{NEW[:7]}` `Change eeee` by `octocat`" in reply
    assert f"`/job run deploy 'SECRETIVE=a b' --ref {NEW}`" in reply
    with pytest.raises(AssertionError):
        await home.run(1)


async def test_commit_that_is_named_outright_runs(home: House) -> None:
    _push(home, NEW, 1.0)
    await home.says(f"/job run check --ref {NEW}")
    assert (await home.run(1)).commit == NEW


async def test_push_before_the_comment_is_what_was_meant(home: House) -> None:
    _push(home, NEW, -1.0)
    await home.says("/job run check")
    run = await home.run(1)
    assert (run.commit, run.state) == (NEW, State.WAITING)


async def test_several_pushes_are_told_from_the_first_after_the_comment(home: House) -> None:
    for number, seconds in ((0, -5.0), (1, 2.0), (2, 3.0), (3, 4.0)):
        _push(home, f"{number}" * 40, seconds)
    (reply,) = await home.says("/job run check")
    assert "3 came in between" in reply
    assert reply.index("`1111111`") < reply.index("`3333333`")
    assert "`0000000`" not in reply


@pytest.mark.parametrize(("updated", "runs"), [(0.0, True), (5.0, False)])
async def test_what_github_does_not_tell_counts_only_if_nothing_changed(
    home: House, updated: float, runs: bool
) -> None:
    """The last push is not told yet: then the pull request itself must be as old as the comment."""
    repository, pull = _shop(home)
    repository.moves.append(Move("refs/heads/topic", OLD, "d" * 40, home.now - 60))
    pull.updated_at = int(home.now) + updated
    replies = await home.says("/job run check")
    assert (not any("other commits" in reply for reply in replies)) is runs


async def test_branch_without_any_push_is_one_that_github_tells_nothing_of(home: House) -> None:
    _shop(home)[1].updated_at = int(home.now) + 5
    (reply,) = await home.says("/job run check")
    assert "other commits since" in reply


async def test_review_means_the_commit_that_it_is_of(home: House) -> None:
    note: Any = await _review(home, "/job run check", commit=OLD)
    assert "asks for run" in note
    assert (await home.run(1)).commit == OLD
    _push(home, NEW, -100.0)
    await _review(home, "/job run check", commit=OLD, id=901)
    texts = [post.text for post in await home.posts() if post.text]
    assert any("other commits since" in text for text in texts)


async def test_build_and_plan_and_rerun_are_held_to_it_as_well(home: House) -> None:
    await home.says("/job run check")
    _push(home, NEW, 1.0)
    for line in ("/job build shop", "/job plan check", "/job rerun #1 --latest"):
        (reply,) = await home.says(line)
        assert "other commits since" in reply, line
    await home.says("/job rerun #1")  # which is of the commit of then
    assert (await home.run(2)).commit == OLD
