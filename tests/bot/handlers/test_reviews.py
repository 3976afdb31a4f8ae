"""Comments on lines of the code and texts of reviews count as those of the conversation do."""

import json
from typing import Any

import pytest

from bot.handlers import comments
from demo import deliveries as payloads
from tests.bot.house import SHOP, House
from tests.bot.posting.test_outbox import send


def _about(home: House) -> dict[str, Any]:
    """The repository, and the head of the pull request as the person saw it."""
    shop = home.github.state.repositories[SHOP]
    return {"private": True, "number": shop.id, "commit": shop.pulls[7].head_sha}


async def _on_line(home: House, body: str, *, below: int | None = None, **how: Any) -> int:
    """Somebody comments on a line; gives the comment's number."""
    made = home.github.add_comment(SHOP, 7, "octocat", body, on_line=True)
    if below is not None:
        made.thread = below
    about = {**_about(home), "in_reply_to": below, **how}
    author = about.pop("author", "octocat")
    payload = payloads.review_comment(SHOP, 7, made.id, author, body, **about)
    await home.bot.deliveries.handle(
        await home.deliver("pull_request_review_comment", json.dumps(payload).encode())
    )
    return made.id


async def _review(home: House, body: str | None, **how: Any) -> str:
    about = {**_about(home), **how}
    payload = payloads.review(SHOP, 7, about.pop("id", 900), about.pop("author", "octocat"), body, **about)
    delivery = await home.deliver("pull_request_review", json.dumps(payload).encode())
    await home.bot.deliveries.handle(delivery)
    return str((await home.delivery(delivery)).note)


def _threads(home: House) -> list[int | None]:
    return [each.thread for each in home.github.comments if each.login == home.github.bot_login]


async def test_command_on_a_line_is_answered_in_its_thread(home: House) -> None:
    first = await _on_line(home, "/job run check\n/job list\n/job run nothing")
    await send(home)
    assert _threads(home) == [first, first]
    assert [reaction.content for reaction in home.github.reactions] == ["confused"]
    run = await home.run(1)
    assert (run.key, run.commit) == (f"github:review_comment:{first}:0", "c" * 40)
    answer = await _on_line(home, "/job list", below=first)
    await send(home)
    assert answer != first
    assert _threads(home) == [first] * 3


async def test_text_of_a_review_is_answered_in_the_conversation(home: House) -> None:
    await _review(home, "Looks good.\n\n/job run check\n/job run nothing")
    await send(home)
    assert _threads(home) == [None, None]
    assert (await home.run(1)).key == "github:review:900:0"
    assert home.github.reactions == []


async def test_same_number_of_another_kind_is_another_comment(home: House) -> None:
    first = await _on_line(home, "/job run plain")
    await _review(home, "/job run plain", id=first)
    await _review(home, "/job run plain", id=first)
    assert (await home.run(2)).key == f"github:review:{first}:0"
    assert len({post.run_number for post in await home.posts() if post.run_number}) == 2


@pytest.mark.parametrize(
    ("body", "how", "note"),
    [
        (None, {}, "no command"),
        ("/job run plain", {"action": "edited"}, "only new ones count"),
        ("/job run plain", {"action": "dismissed"}, "only new ones count"),
        ("/job run plain", {"author": "dependabot[bot]"}, "no person wrote"),
        ("/job run plain", {"author": "reader"}, "refused github:reader"),
    ],
)
async def test_review_that_asks_for_nothing_starts_nothing(
    home: House, body: str | None, how: dict[str, Any], note: str
) -> None:
    assert note in await _review(home, body, **how)
    assert not [post for post in await home.posts() if post.run_number]


async def test_who_may_not_is_told_once_in_the_pull_request_wherever_it_is_asked(home: House) -> None:
    await _review(home, "/job run plain", author="reader")
    await _on_line(home, "/job run plain", author="reader")
    assert len([post for post in await home.posts() if post.kind == "github_comment"]) == 1


async def test_answer_in_a_thread_that_an_interrupted_try_wrote_is_found(home: House) -> None:
    home.github.drop_answer("/replies$", method="POST")
    await _on_line(home, "/job list")
    await send(home)
    assert len(_threads(home)) == 1
    await send(home)
    assert len(_threads(home)) == 1
    (post,) = await home.posts()
    assert (post.state, post.remote_note is not None) == ("done", True)


async def test_comment_whose_answer_takes_a_while_is_seen_to_be_read(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "SEEN_AFTER", 0.0)
    await _on_line(home, "/job run check")
    assert [reaction.content for reaction in home.github.reactions] == ["eyes"]
    await _review(home, "/job run check")
    assert len(home.github.reactions) == 1
