"""What people type in pull requests and in Slack has its effect, once, for those who may."""

import asyncio
import shutil
from contextlib import aclosing

import pytest

from demo.github import Comment
from demo.installation import PULL, REPOSITORY, Installation
from demo.watched import PATIENCE


async def card(errand: Installation, *words: str, timeout: float = PATIENCE) -> Comment:
    """The newest comment of ours that has all these words."""
    github = errand.beside.github

    def there() -> Comment | None:
        ours = [each for each in reversed(github.comments) if each.login == github.bot_login]
        return next((each for each in ours if all(word in each.body for word in words)), None)

    found = await github.wait_for(there, timeout)
    assert found is not None
    return found


def ours(errand: Installation) -> list[str]:
    """The texts of all our comments."""
    github = errand.beside.github
    return [each.body for each in github.comments if each.login == github.bot_login]


async def prints(errand: Installation, number: int, line: str) -> None:
    """Wait until a run says this: that it runs is told before its shell has set its traps."""
    lines = errand.log_lines(number, await errand.token("who-listens"))
    async with asyncio.timeout(PATIENCE), aclosing(lines):
        async for each in lines:
            if each == line:
                return
    raise AssertionError(f"it never said {line}")


async def reaction(errand: Installation, comment: Comment, content: str) -> None:
    """Wait until the comment has this reaction."""
    github = errand.beside.github
    await github.wait_for(
        lambda: any(each.comment == comment.id and each.content == content for each in github.reactions)
    )


async def test_failure_comes_back_with_exit_code_last_lines_and_link(errand: Installation) -> None:
    await errand.comment("/job run exit CODE=3")
    found = await card(errand, "exit code 3", "about to exit")
    link = found.body.partition("](")[2].partition(")")[0]
    page = await errand.get(link.removeprefix(errand.url))
    assert page.status_code == 200
    assert "about to exit" in page.text
    assert (await errand.get("/runs/1")).status_code == 401


async def test_several_commands_run_in_order_and_are_answered_together(errand: Installation) -> None:
    comment = await errand.comment("/job run hello\n/job list\n/job frobnicate")
    reply = await card(errand, "hello", "frobnicate")
    assert "exit" in reply.body
    await reaction(errand, comment, "confused")
    await card(errand, "succeeded")


async def test_comment_in_code_block_starts_nothing(errand: Installation) -> None:
    await errand.comment("```\n/job run hello\n```\n> /job run hello\n\n`/job run hello`")
    await errand.wait_for(lambda: any("no command" in str(event.get("note")) for event in errand.events))
    assert ours(errand) == []
    assert errand.beside.github.reactions == []


async def test_wrong_parameters_are_refused_all_at_once_and_nothing_starts(errand: Installation) -> None:
    await errand.comment("/job run hello NAM=x NAME=1234")
    reply = await card(errand, "NAM", "NAME")
    assert "1234" in reply.body
    assert not any(event.get("event") == "run.starting" for event in errand.events)


async def test_stranger_is_told_no_politely_and_once(errand: Installation) -> None:
    errand.beside.github.add_person(REPOSITORY, "reader", "read")
    first = await errand.comment("/job run hello", author="reader")
    await reaction(errand, first, "confused")
    await errand.comment("/job run hello", author="reader")
    refusals = "refused github:reader"
    await errand.wait_for(lambda: sum(refusals in str(event.get("note")) for event in errand.events) == 2)
    assert len([text for text in ours(errand) if "write access" in text]) == 1
    assert not any(event.get("event") == "run.starting" for event in errand.events)


async def test_cancel_stops_a_run_and_keeps_the_exit_code_that_it_chose(errand: Installation) -> None:
    await errand.comment(f"/job run wait GATE={errand.home}/never ID=one")
    await prints(errand, 1, "started one")
    await errand.comment("/job cancel")
    found = await card(errand, "cancelled")
    assert "42" in found.body


async def test_rerun_repeats_a_run_with_what_is_changed(errand: Installation) -> None:
    await errand.comment("/job run hello NAME=first")
    await card(errand, "succeeded", "NAME=first")
    await errand.comment("/job rerun #1")
    await card(errand, "#2", "succeeded", "NAME=first", "again from `#1`, exactly")
    await errand.comment("/job rerun #1 NAME=third")
    await card(errand, "#3", "succeeded", "other than there: `NAME: first → third`")
    token = await errand.token("t")
    page = (await errand.get("/runs/3", token=token)).text
    assert "other than there: <code>NAME: first → third</code>" in page
    assert "exactly" in (await errand.get("/runs/2", token=token)).text
    # The commit was built once for all of them.
    assert [event for event in errand.events if event.get("event") == "build.building"] != []
    assert sum(event.get("event") == "build.building" for event in errand.events) == 1


async def test_status_and_logs_answer_in_words(errand: Installation) -> None:
    await errand.comment("/job run hello")
    await card(errand, "succeeded")
    await errand.comment("/job status\n/job logs #1")
    reply = await card(errand, "The whole log")
    assert "Hello, world!" in reply.body


async def test_job_gets_its_parameters_and_declared_environment_only(errand: Installation) -> None:
    errand.environ["SECRET_OF_THE_BOT"] = "x"
    await errand.stop()
    await errand.start()
    await errand.comment("/job run env WHO=me")
    await card(errand, "succeeded")
    token = await errand.token("t")
    lines = [line async for line in errand.log_lines(1, token)]
    names = sorted(line.partition("=")[0] for line in lines)
    assert [name for name in names if not name.startswith("ERRAND_")] == ["CI", "HOME", "LANG", "PATH", "WHO"]
    assert "WHO=me" in lines


async def test_build_command_builds_once_and_says_when_it_is_done_already(errand: Installation) -> None:
    await errand.comment("/job build shop")
    await card(errand, "shop", "build", "succeeded")
    await errand.comment("/job build shop")
    await card(errand, "already built")


async def test_failing_setup_fails_the_build_and_tells_why(errand: Installation) -> None:
    commit = await errand.commit({"setup.sh": "echo no such thing; exit 7\n"}, branch="broken")
    errand.beside.github.add_pull(REPOSITORY, PULL, commit, "broken")
    await errand.comment("/job run hello")
    await card(errand, "BuildFailed")
    checks = errand.beside.github.checks
    await errand.beside.github.wait_for(lambda: any(each.conclusion == "failure" for each in checks))


async def test_slack_command_runs_a_job_and_the_channel_sees_it(errand: Installation) -> None:
    slack = errand.beside.slack
    answer = await errand.slash("run hello NAME=slack")
    assert (answer.status_code, answer.text) == (200, "")
    await slack.wait_for(lambda: any("succeeded" in each.text for each in slack.messages))
    assert len(slack.messages) == 1
    assert [each.user for each in slack.ephemerals] == ["U012AB3CD"]


@pytest.mark.parametrize(("person", "words"), [("U0NOBODY1", "slack.people"), ("U0STRANGER", "write access")])
async def test_slack_user_without_rights_is_told_no(errand: Installation, person: str, words: str) -> None:
    slack = errand.beside.slack
    await errand.slash("run hello", person=person)
    await slack.wait_for(lambda: slack.ephemerals)
    assert words in slack.ephemerals[0].text
    assert slack.messages == []


async def test_same_delivery_twice_does_nothing_twice(errand: Installation) -> None:
    commit = await errand.commit({"README.md": "again"})
    answers = await asyncio.gather(*(errand.push(commit, id="the-same") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    await errand.wait_for(lambda: errand.has_logged("build.finished", 1))
    assert not errand.has_logged("build.building", 2)


async def test_pushes_of_other_branches_build_nothing(errand: Installation) -> None:
    commit = await errand.commit({"README.md": "feature"}, branch="feature/x")
    await errand.push(commit, branch="feature/x")
    await errand.wait_for(lambda: any("no image" in str(event.get("note")) for event in errand.events))
    commit = await errand.commit({"README.md": "release"}, branch="release/1")
    await errand.push(commit, branch="release/1")
    await errand.wait_for(lambda: errand.has_logged("build.finished", 1))


async def test_code_of_a_fork_is_not_run(errand: Installation) -> None:
    head = await errand.commit({"README.md": "fork"}, branch="fork")
    errand.beside.github.add_pull(REPOSITORY, PULL, head, "main", head_repository="stranger/shop")
    await errand.comment("/job run hello")
    await card(errand, "fork")
    assert not any(event.get("event") == "run.starting" for event in errand.events)


async def test_image_that_was_cleared_away_is_built_again(errand: Installation) -> None:
    await errand.comment("/job run hello NAME=first")
    await card(errand, "NAME=first", "succeeded")
    (ready,) = errand.home.glob("var/work/trees/*/*/*/ready")
    await asyncio.to_thread(shutil.rmtree, ready.parent)
    await errand.comment("/job rerun #1 NAME=second")
    await card(errand, "NAME=second", "succeeded")
    assert errand.has_logged("build.finished", 2)
