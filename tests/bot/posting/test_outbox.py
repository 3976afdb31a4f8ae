"""What is to be said arrives once, or is given up with a reason."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete, update
from structlog.testing import capture_logs

from bot.errors import RetryLater
from bot.posting import outbox, targets
from bot.posting.outbox import FAILURES, MAX_TRIES
from bot.posting.pace import Pace
from bot.states import State
from bot.store import Session, posts, runs
from bot.store.columns import POST
from bot.tables import Post, Run
from tests.bot.house import HEAD, SHOP, House


async def say(home: House, *wanted: Post) -> list[Post]:
    """Store and claim posts."""
    await home.write(lambda s: posts.add(s, wanted))
    return await claim(home)


async def claim(home: House) -> list[Post]:
    """What is due."""
    home.now += 3600
    claimed: list[Post] = await home.write(
        lambda s: posts.claim(s, owner="one", now=home.now, lease=60.0, limit=20)
    )
    return claimed


async def send(home: House, tries: int = 1) -> None:
    """Claim and send what is due, `tries` times."""
    for _ in range(tries):
        for post in await claim(home):
            await home.bot.outbox.send(post)


async def states(home: House) -> dict[str, str]:
    """The state of every post by kind."""
    return {post.kind: post.state for post in await home.posts()}


def reply(home: House, key: str = "k", text: str = "words") -> Post:
    return targets.comment_reply(key, targets.PullPlace(SHOP, 7), text, now=home.now, nonce="n" * 16)


class _Gate(Pace):
    """Gives no turn before it is opened."""

    def __init__(self) -> None:
        super().__init__(1.0, lambda: 0.0)
        self.asked: list[tuple[str, bool]] = []
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def turn(self, account: str, number: int, *, first: bool) -> bool:
        self.asked.append((account, first))
        self.reached.set()
        return await self.open.wait()


async def test_what_changed_while_a_card_waits_for_its_turn_is_said_with_it(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.types("run deploy SECRETIVE=x")
    gate = _Gate()
    sender = home.bot.outbox
    monkeypatch.setattr(sender, "_pace", gate)
    (card,) = [post for post in await claim(home) if post.kind == "github_check" and post.run_number]
    sending = asyncio.create_task(sender.send(card))
    await asyncio.wait_for(gate.reached.wait(), 10)
    await home.write(
        lambda s: s.execute(update(Run).values(state="finished", result="error", finished_at=home.now))
    )
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    gate.open.set()
    await sending
    assert gate.asked == [("acme", True)]
    (check,) = home.github.checks
    assert [status for status, _ in check.history] == ["completed"]
    assert [post.id for post in await claim(home) if post.id == card.id] == []


@pytest.mark.parametrize(("kind", "first"), [("github_check", False), ("github_deployment", True)])
async def test_word_that_a_deploy_waits_for_comes_before_what_corrects_a_card(
    home: House, monkeypatch: pytest.MonkeyPatch, kind: str, first: bool
) -> None:
    await home.write(lambda s: posts.add(s, [reply(home)]))
    (post,) = await claim(home)
    post.kind, post.sent = kind, 1
    gate, sender = _Gate(), home.bot.outbox
    gate.open.set()
    monkeypatch.setattr(sender, "_pace", gate)
    await sender.send(post)
    assert gate.asked == [("acme", first)]


async def test_cards_of_a_run_are_edited_and_say_its_end(home: House) -> None:
    await home.types("run deploy SECRETIVE=x")
    await send(home)
    await home.write(
        lambda s: s.execute(update(Run).values(state="finished", result="error", finished_at=home.now))
    )
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)
    assert len(home.slack.messages) == 1
    assert len(home.slack.messages[0].history) == 2
    ended = {check.name: check.conclusion is not None for check in home.github.checks}
    assert ended == {"errand / build shop": False, "errand / deploy": True}
    assert len(home.slack.ephemerals) == 1


async def test_what_was_wanted_together_with_the_claim_and_is_shown_is_not_said_again(home: House) -> None:
    await home.says("/job run check")

    def end(session: Session) -> None:
        session.execute(update(Run).values(state="finished", result="succeeded", finished_at=home.now))
        posts.want(session, "run", [1], posts.Wish.URGENT)

    _, claimed = await asyncio.gather(home.write(end), claim(home))  # in one commit
    for post in claimed:
        await home.bot.outbox.send(post)
    assert "succeeded" in home.github.comments[1].body
    assert await claim(home) == []


async def test_what_was_wanted_after_the_claim_is_said_by_the_next(home: House) -> None:
    await home.says("/job run check")
    claimed = await claim(home)
    await home.write(
        lambda s: s.execute(update(Run).values(state="finished", result="succeeded", finished_at=home.now))
    )
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    for post in claimed:
        await home.bot.outbox.send(post)
    await send(home)
    assert "succeeded" in home.github.comments[1].body
    assert await claim(home) == []


async def test_cards_of_a_build_stand_where_it_was_asked_for(home: House) -> None:
    await home.says("/job build shop --ref main")
    await home.types("build shop")
    await send(home)
    assert (len(home.github.comments), len(home.slack.messages)) == (2, 1)
    await home.write(lambda s: posts.want(s, "build", [1], posts.Wish.URGENT))
    await send(home)
    assert len(home.github.comments[1].history) == 2


async def test_with_a_token_commits_get_statuses_of_runs_and_builds(home: House) -> None:
    build = targets.commit(SHOP, HEAD, app=False, now=home.now, nonce="1" * 16)
    await home.says("/job run check")
    await home.write(lambda s: posts.add_cards(s, [build], run=1))
    await home.write(lambda s: posts.add_cards(s, [build], build=1))
    await send(home)
    assert {status.context for status in home.github.statuses} == {"errand / check", "errand / build shop"}


async def test_secret_address_of_an_answer_is_in_no_log_line(home: House) -> None:
    await home.types("list")
    with capture_logs() as lines:
        await send(home)
    assert home.slack.ephemerals
    assert [line["event"] for line in lines] == ["post.sent"]
    assert "commands/" not in str(lines)


async def test_what_a_bot_was_killed_over_is_looked_for_and_not_said_twice(home: House) -> None:
    (post,) = await say(home, reply(home))
    await home.bot.outbox.send(post)
    await home.write(
        lambda s: s.execute(update(Post).values(state="open", sent=0, remote_id=None, attempts=1))
    )
    await send(home)
    assert len(home.github.comments) == 1


async def test_database_that_is_away_after_the_words_were_said_makes_nobody_say_them_again(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (post,) = await say(home, targets.slack_reply("k", _address(home), "words", now=home.now, nonce="n"))
    monkeypatch.setattr(outbox, "AGAIN", 0.001)
    real, left = home.store.write, [RetryLater("away")] * 3

    async def sometimes(work: Any) -> Any:
        if left:
            raise left.pop()
        return await real(work)

    monkeypatch.setattr(home.store, "write", sometimes)
    await home.bot.outbox.send(post)
    assert await states(home) == {"slack_response": "done"}
    assert len(home.slack.ephemerals) == 1


def _address(home: House) -> str:
    return home.slack.response_url(home.slack.channels[0].id, "U0OCTOCAT")


async def test_place_that_does_not_answer_is_asked_again_and_given_up_in_the_end(home: House) -> None:
    home.github.fail("/comments$", 502, times=1000)
    await say(home, reply(home))
    await home.write(lambda s: s.execute(update(Post).values(attempts=MAX_TRIES - 3, lease_until=0.0)))
    await send(home, 2)
    assert await states(home) == {"github_comment": "open"}
    await send(home, 2)
    (post,) = await home.posts()
    assert (post.state, "502" in str(post.error)) == ("failed", True)


async def test_post_over_which_errand_fails_is_given_up_soon(home: House) -> None:
    bad = targets.reaction("k", SHOP, 1, "eyes", now=home.now, nonce="n")
    bad.place = {"repository": SHOP}  # no such place was ever stored
    await say(home, bad)
    await home.write(lambda s: s.execute(update(Post).values(attempts=0, lease_until=0.0)))
    await send(home, FAILURES - 1)
    assert await states(home) == {"github_reaction": "open"}
    await send(home)
    (post,) = await home.posts()
    assert (post.state, post.error) == ("failed", "Errand failed: KeyError")


async def test_post_that_kills_whoever_sends_it_is_not_tried_for_ever(home: House) -> None:
    await say(home, reply(home))
    await home.write(lambda s: s.execute(update(Post).values(attempts=MAX_TRIES, lease_until=0.0)))
    await send(home)
    assert await states(home) == {"github_comment": "failed"}
    assert home.github.comments == []


async def test_card_of_what_is_no_longer_kept_is_given_up(home: House) -> None:
    await home.says("/job run plain")
    await home.write(lambda s: s.execute(delete(Run)))
    await send(home)
    (card,) = [post for post in await home.posts() if post.kind == "github_comment"]
    assert (card.state, card.error) == ("failed", "what it tells about is no longer kept")


@pytest.mark.parametrize("kind", ["github_check", "github_status", "slack_message"])
async def test_card_about_nothing_is_refused(home: House, kind: str) -> None:
    place = {"repository": SHOP, "commit": HEAD, "channel": "#ops"}
    await say(home, Post(kind=kind, key="k", place=place, nonce="n", created_at=home.now))
    await home.write(lambda s: s.execute(update(Post).where(POST.kind == kind).values(lease_until=0.0)))
    await send(home)
    assert await states(home) == {kind: "failed"}


async def test_what_was_configured_no_more_is_not_waited_for(home: House) -> None:
    await home.types("run deploy SECRETIVE=x")
    bare = home.without(github=None, slack=None)
    bare.now = home.now
    for post in await claim(home):
        await bare.bot.outbox.send(post)
    assert set((await states(home)).values()) == {"failed"}


@pytest.mark.parametrize(
    ("progress", "ran", "pause"),
    [(None, 0.0, 1.0), ((1, 3), 1.0, 5.0), ((1, 3), 1200.0, 20.0), ((1, 3), 86400.0, 60.0)],
)
def test_card_is_edited_less_often_for_progress(
    home: House, progress: tuple[int, int] | None, ran: float, pause: float
) -> None:
    run = Run(number=1, key="k", name="n", job="a", cause="api", actor="token:a", created_at=0.0)
    run.started_at = home.now - ran
    run.progress = progress and dict(zip(("done", "total"), progress, strict=True))
    assert outbox._pause(run, home.now) == pause


async def test_progress_is_told_by_cards_but_no_status(home: House) -> None:
    await home.types("run deploy SECRETIVE=x")
    await send(home)
    await home.write(
        lambda s: s.execute(update(Run).values(state="running", lease_owner="one", started_at=home.now))
    )
    await home.write(lambda s: posts.add_cards(s, [status_card(home)], run=1))
    before = {post.kind: post.wanted for post in await home.posts() if post.run_number}
    await home.write(lambda s: runs.advance(s, 1, owner="one", done=1, total=2))
    after = {post.kind: post.wanted for post in await home.posts() if post.run_number}
    assert {kind for kind in after if after[kind] > before[kind]} == {"github_check", "slack_message"}
    await send(home)
    assert "▰▱ 1/2" in str(home.slack.messages[0].history[-1])


async def test_stop_is_told_once_and_at_once_though_the_engine_has_yet_to_hear_of_it(home: House) -> None:
    await home.types("run deploy SECRETIVE=x")
    await send(home)
    late = home.now + 60  # as after an edit for progress alone
    under_way = {"state": "running", "lease_owner": "one", "lease_until": late, "started_at": home.now}
    await home.write(lambda s: s.execute(update(Run).values(**under_way, progress={"done": 1, "total": 2})))
    mine = POST.run_number == 1
    await home.write(lambda s: s.execute(update(Post).where(mine).values(due_at=late)))
    await home.write(lambda s: runs.request_stop(s, 1, by="github:octocat", now=home.now))
    due = {post.kind: post.due_at for post in await home.posts() if post.run_number}
    assert due == {"github_check": posts.AT_ONCE, "slack_message": posts.AT_ONCE}
    await send(home)
    assert home.slack.messages[0].text.count("is stopping") == 1
    assert [check.output["title"] for check in home.github.checks][1:] == ["#1 is stopping"]
    await home.write(lambda s: runs.move(s, 1, State.STOPPING, owner="one", now=home.now))
    assert posts.AT_ONCE not in [post.due_at for post in await home.posts() if post.run_number]


def status_card(home: House) -> Post:
    return targets.commit(SHOP, HEAD, app=False, now=home.now, nonce="n" * 16)


async def test_check_that_an_interrupted_try_made_is_found_by_its_external_id(home: House) -> None:
    home.github.drop_answer("/check-runs$", method="POST")
    await home.push(HEAD)
    await send(home)
    (check,) = home.github.checks
    assert [post.remote_id for post in await home.posts() if post.kind == "github_check"] == [None]
    await send(home)
    assert home.github.checks == [check]
    assert [post.remote_id for post in await home.posts() if post.kind == "github_check"] == [str(check.id)]


async def _moves(home: House) -> None:
    """Something about the run is new, and is said as far as it can be."""
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)


async def test_card_that_somebody_deleted_is_neither_edited_nor_posted_anew(home: House) -> None:
    await home.types("run deploy SECRETIVE=x")
    await send(home)
    home.slack.messages.clear()
    with capture_logs() as lines:
        for _ in range(3):
            await _moves(home)
    assert (home.slack.messages, home.slack.count("chat.update")) == ([], 1)
    assert [line["error"] for line in lines if line["event"] == "slack.fault"] == ["message_not_found"]
    assert (await states(home))["slack_message"] == "failed"


async def test_card_is_said_once_the_token_is_put_right(home: House) -> None:
    await home.types("run deploy SECRETIVE=x")
    await send(home)
    home.slack.credentials.ended = "token_revoked"
    await home.write(
        lambda s: s.execute(update(Run).values(state="finished", result="error", finished_at=home.now))
    )
    await _moves(home)
    await send(home)
    (card,) = home.slack.messages
    assert len(card.history) == 1
    home.slack.credentials.ended = None
    await send(home)
    assert len(card.history) == 2


async def test_revoked_token_is_told_once_and_github_goes_on(home: House) -> None:
    home.slack.credentials.ended = "token_revoked"
    with capture_logs() as lines:
        for _ in range(3):
            await home.types("run deploy SECRETIVE=x")
            await send(home)
        home.slack.credentials.ended = None
        await home.types("run deploy SECRETIVE=x")
        await send(home)
        home.slack.credentials.ended = "account_inactive"
        await home.types("run deploy SECRETIVE=x")
        await send(home)
    told = [(line["event"], line.get("error")) for line in lines if line["event"].startswith("slack.")]
    assert told == [
        ("slack.fault", "token_revoked"),
        ("slack.mended", "token_revoked"),
        ("slack.fault", "account_inactive"),
    ]
    loud = [line for line in lines if line["event"] in ("post.refused", "post.later", "post.given_up")]
    assert [line for line in loud if line["log_level"] != "debug"] == []
    assert {post.state for post in await home.posts() if post.kind == "github_check"} == {"open"}
