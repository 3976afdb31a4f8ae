"""What the channel of a job is told where it says when."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.store import digests
from bot.store.columns import POST
from bot.tables import Post
from tests.bot.house import House, house
from tests.bot.posting.quiet import begun, ended, happen, said, texts

Quiet = Callable[[str], AbstractAsyncContextManager[House]]


@pytest.fixture
def quiet(tmp_path: Path) -> Quiet:
    """A house with a job `backup` whose channel is told as its `notify` says besides."""

    @asynccontextmanager
    async def made(notify: str) -> AsyncIterator[House]:
        jobs = f'backup: {{command: "true", notify: {{slack: "#ops", {notify}}}}}'
        async with house(tmp_path, jobs=jobs) as home:
            yield home

    return made


async def test_failures_in_a_row_are_one_message_that_counts_and_recovers(quiet: Quiet) -> None:
    async with quiet("when: [failed, recovered]") as home:
        await happen(home, "backup", "+")
        assert texts(home) == []
        await happen(home, "backup", "-")
        assert texts(home) == ["❌ backup #2 failed with exit code 1 after 5s"]
        await happen(home, "backup", "--")
        assert texts(home) == ["❌ backup failed 3 times"]
        await happen(home, "backup", "+")
        first, reply = texts(home)
        assert first == "✅ backup has recovered"
        assert reply.startswith("✅ *backup* has recovered after 3 failures since <!date^")
        await happen(home, "backup", "+")
        assert len(texts(home)) == 2


async def test_failure_in_a_row_that_is_asked_for_is_told_then_and_counts_on(quiet: Quiet) -> None:
    async with quiet("when: [failed_3, recovered]") as home:
        await happen(home, "backup", "--+")
        assert texts(home) == []  # nor is it told that what nobody heard of is over
        await happen(home, "backup", "--x")
        assert texts(home) == []
        await happen(home, "backup", "-")
        assert texts(home) == ["❌ backup failed 3 times"]
        await happen(home, "backup", "-+")
        first, reply = texts(home)
        assert first == "✅ backup has recovered"
        assert "recovered after 4 failures" in reply


async def test_third_failure_and_further_cause_are_news_in_the_thread(quiet: Quiet) -> None:
    async with quiet("when: [failed, failed_3], who: ['slack:U0OCTOCAT']") as home:
        await happen(home, "backup", "-")
        (first,) = home.slack.messages
        assert first.text.endswith(" <@U0OCTOCAT>")
        assert "<@U0OCTOCAT>" in str(first.blocks)
        await happen(home, "backup", "o-o")
        oom, third = texts(home)[1:]
        assert oom.startswith("<@U0OCTOCAT> ❌ *backup* fails for another reason now. ")
        assert "OOMKilled" in oom
        assert third.startswith("<@U0OCTOCAT> ❌ *backup* failed 3 times in a row. ")
        assert first.text == "❌ backup failed 4 times <@U0OCTOCAT>"
        await happen(home, "backup", "+")
        assert first.text == "✅ backup has recovered"
        assert len(home.slack.messages) == 3


async def test_next_row_of_failures_is_a_message_of_its_own(quiet: Quiet) -> None:
    async with quiet("when: [failed]") as home:
        await happen(home, "backup", "--+-")
        assert [text[:20] for text in texts(home)] == ["✅ backup has recover", "❌ backup #4 failed w"]


async def test_success_and_start_are_told_by_the_runs_own_message(quiet: Quiet) -> None:
    async with quiet("when: [started, failed, recovered], who: ['github:octocat']") as home:
        number = await begun(home, "backup")
        await said(home)
        (message,) = home.slack.messages
        assert "is running" in message.text
        await ended(home, number)
        assert len(texts(home)) == 2
        assert texts(home)[1].startswith("<@U0OCTOCAT> ❌ <https://errand.example.com/runs/1?")
        await happen(home, "backup", "+")
        card, reply = home.slack.messages[2:]
        assert card.text.startswith("✅ backup #2 succeeded")
        assert reply.text.startswith("✅ *backup* has recovered after a failure at")


async def test_recovery_alone_is_told_by_a_card_that_says_so(quiet: Quiet) -> None:
    async with quiet("when: [recovered]") as home:
        await happen(home, "backup", "--")
        assert texts(home) == []
        await happen(home, "backup", "+")
        (message,) = home.slack.messages
        assert message.text.startswith("✅ backup #3 succeeded")
        assert "It has recovered after 2 failures since" in str(message.blocks)
        await happen(home, "backup", "+")
        assert len(home.slack.messages) == 1


async def test_every_success_may_be_told(quiet: Quiet) -> None:
    async with quiet("when: [succeeded]") as home:
        await happen(home, "backup", "+-+")
        assert [text[:12] for text in texts(home)] == ["✅ backup #1 ", "✅ backup #3 "]


async def test_what_is_asked_for_in_the_channel_is_answered_there(quiet: Quiet) -> None:
    async with quiet("when: []}, image: shop, env: {A: b") as home:
        await home.types("run backup")
        await said(home)
        assert len(home.slack.messages) == 1
        await home.says("/job run backup")
        await said(home)
        assert len(home.slack.messages) == 1


async def test_history_from_before_counts_where_when_is_new(quiet: Quiet) -> None:
    async with quiet("github: true") as home:
        await happen(home, "backup", "+--")
        before = len(home.slack.messages)
        assert before == 3  # without `when` every run has its message
        text = (home.home / "app.yaml").read_text()
        assert '"github": true}' in text
        (home.home / "app.yaml").write_text(text.replace('"github": true}', '"when": ["failed_3"]}'))
        await home.reread()
        await happen(home, "backup", "-")
        assert texts(home)[before:] == ["❌ backup failed 3 times"]


async def test_killed_before_the_message_was_noted_finds_it(quiet: Quiet) -> None:
    async with quiet("when: [failed]") as home:
        home.now -= 86400  # the stand-in goes by the real time
        await happen(home, "backup", "-")
        forgotten = {"remote_id": None, "sent": 0, "state": "open", "attempts": 1}
        await home.write(
            lambda s: s.execute(update(Post).where(POST.kind == "slack_digest").values(**forgotten))
        )
        await happen(home, "backup", "-")
        assert texts(home) == ["❌ backup failed 2 times"]


async def test_run_is_slow_by_what_is_expected_or_usual(quiet: Quiet) -> None:
    async with quiet("when: [slow]}, expect: 20m, env: {A: b") as home:
        number = await begun(home, "backup")
        await said(home, 1190)
        assert texts(home) == []
        await said(home, 10)
        (message,) = home.slack.messages
        assert "is running" in message.text
        assert "It takes longer than the 20m that are expected" in str(message.blocks)
        await ended(home, number, "succeeded")
        assert "succeeded" in message.text
        assert "It took longer than" in str(message.blocks)
        quick = await begun(home, "backup")
        await ended(home, quick, "succeeded")
        await said(home, 7200)
        assert len(home.slack.messages) == 1


async def test_run_is_slow_beyond_the_95th_percentile_of_ten(quiet: Quiet) -> None:
    async with quiet("when: [slow]") as home:
        await happen(home, "backup", "+" * 9 + "-")
        tenth = await begun(home, "backup")
        await said(home, 7200)
        assert texts(home) == []
        await ended(home, tenth, "succeeded")
        number = await begun(home, "backup")
        await said(home, 7300)
        assert [message.text.split()[2] for message in home.slack.messages] == [f"#{number}"]
        assert "It is slow: 95 of 100 of its runs took at most 2h." in str(home.slack.messages[0].blocks)


async def test_failures_after_somebody_deleted_their_message_are_told_by_a_new_one(quiet: Quiet) -> None:
    async with quiet("when: [failed]") as home:
        await happen(home, "backup", "-")
        home.slack.messages.clear()
        await happen(home, "backup", "--")
        assert texts(home) == ["❌ backup failed 3 times"]


@pytest.mark.parametrize("shared", [False, True])
async def test_strangers_in_a_channel_read_no_sentence_of_others_and_no_log(
    quiet: Quiet, *, shared: bool
) -> None:
    async with quiet("when: [failed]") as home:
        home.slack.channels[0].shared = shared
        facts: dict[str, Any] = {"count": 2, "since": home.now, "last_at": home.now, "ended_by": None}
        facts["reason"] = {"kind": "answer", "text": "GitHub said something"}
        place = {"channel": "#ops", "about": "missed", "job": "backup", "who": []}
        missed = digests.Digest("missed:backup:#ops", "m", place, facts, "n" * 16, home.now)
        await home.write(lambda s: digests.begin(s, missed))
        number = await begun(home, "backup")
        await ended(home, number, tail=["a line of the log"])
        shown = str([message.blocks for message in home.slack.messages])
        assert ("GitHub said something" in shown) == (not shared)
        assert ("a line of the log" in shown) == (not shared)
        assert ("signature=" in shown) == (not shared)


async def test_further_occasions_of_a_run_that_has_a_message_are_replies_below_it(quiet: Quiet) -> None:
    when = "when: [started, slow, failed_2, recovered]}, expect: 20m, env: {A: b"
    async with quiet(when) as home:
        number = await begun(home, "backup")
        await said(home, 1190)
        assert len(texts(home)) == 1
        await said(home, 20)
        card, slow = home.slack.messages
        assert slow.text.startswith("🐢 It takes longer than the 20m that are expected. ▶️ ")
        assert (slow.thread_ts, slow.broadcast) == (card.ts, True)
        await ended(home, number)
        await said(home)
        assert len(texts(home)) == 2
        await happen(home, "backup", "-")
        second, reply = texts(home)[2:]
        assert second.startswith("❌ backup #2 failed")
        assert reply.startswith("❌ *backup* failed 2 times in a row. ")
        await happen(home, "backup", "+")
        third, over = texts(home)[4:]
        assert third.startswith("✅ backup #3 succeeded")
        assert over.startswith("✅ *backup* has recovered after 2 failures")
