"""What a newer answer says anew is folded away at GitHub, and nothing else."""

from sqlalchemy import update

from bot.store import posts
from bot.store.columns import RUN
from bot.tables import Run
from demo.github import Comment
from tests.bot.house import SITE, House
from tests.bot.posting.test_outbox import send


def _ours(home: House) -> list[Comment]:
    return [each for each in home.github.comments if each.login == home.github.bot_login]


def _folded(home: House) -> list[str | None]:
    return [each.minimized for each in _ours(home)]


async def _end(home: House, *numbers: int) -> None:
    ended = {"state": "finished", "result": "succeeded", "finished_at": home.now}
    await home.write(lambda s: s.execute(update(Run).where(RUN.number.in_(numbers)).values(**ended)))
    await home.write(lambda s: posts.want(s, "run", numbers, posts.Wish.URGENT))
    await send(home, 2)


async def test_newer_run_of_a_job_folds_the_older_card_away_once_it_has_ended(home: House) -> None:
    await home.says("/job run plain")
    await send(home)
    await _end(home, 1)
    await home.says("/job run plain\n/job run words")
    await send(home, 2)
    assert _folded(home) == [None, None, None]
    await _end(home, 2, 3)
    assert _folded(home) == ["OUTDATED", None, None]
    before = home.github.count("/graphql")
    await _end(home, 1, 2, 3)
    assert home.github.count("/graphql") == before == 1


async def test_older_run_that_ends_later_is_folded_away_then(home: House) -> None:
    await home.says("/job run plain\n/job run plain")
    await send(home)
    await _end(home, 2)
    assert _folded(home) == [None, None]
    await _end(home, 1)
    assert _folded(home) == ["OUTDATED", None]


async def test_answers_that_only_show_are_folded_away_by_the_next(home: House) -> None:
    await home.says("/job list")
    await send(home)
    await home.says("/job lock plain --everyone")
    await send(home, 2)
    assert _folded(home) == [None, None]
    await home.says("/job status\n/job help")
    await send(home, 2)
    assert _folded(home) == ["OUTDATED", None, None]
    await home.says("/job list\n/job unlock plain")
    await send(home, 2)
    assert _folded(home) == ["OUTDATED", None, None, None]


async def test_other_pull_requests_are_left_alone(home: House) -> None:
    await home.says("/job list")
    await home.says("/job list", repository=SITE)
    await send(home, 3)
    assert _folded(home) == [None, None]


async def test_comment_that_somebody_deleted_is_given_up_at_once(home: House) -> None:
    await home.says("/job list")
    await send(home)
    home.github.comments.remove(_ours(home)[0])
    await home.says("/job list")
    await send(home, 2)
    (post,) = [post for post in await home.posts() if post.kind == "github_minimize"]
    assert (post.state, "NOT_FOUND" in str(post.error)) == ("failed", True)
