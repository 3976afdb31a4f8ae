"""Answers arrive, once, whatever GitHub and Slack do meanwhile."""

import shutil
from pathlib import Path

import pytest

from demo.installation import REPOSITORY, Installation, Where, installation
from tests.changing import changing

HERE = Path(__file__).parent


async def finished(errand: Installation, seconds: float = 25.0) -> list[str]:
    """Our comments on the pull request once one of them says that a run succeeded."""
    github = errand.beside.github
    await github.wait_for(
        lambda: any("succeeded" in each.body for each in github.comments if each.login == github.bot_login),
        seconds,
    )
    return [each.body for each in github.comments if each.login == github.bot_login]


async def test_comment_whose_answer_was_lost_is_found_and_not_posted_again(errand: Installation) -> None:
    errand.beside.github.drop_answer(r"/issues/\d+/comments$", method="POST")
    await errand.comment("/job run hello")
    assert len(await finished(errand)) == 1
    assert errand.beside.github.count(r"/issues/\d+/comments$", "POST") == 1


async def test_check_whose_answer_was_lost_is_found_and_not_posted_again(errand: Installation) -> None:
    github = errand.beside.github
    github.drop_answer(r"/check-runs$", method="POST")
    await errand.comment("/job run hello")
    await github.wait_for(lambda: sum(bool(each.conclusion) for each in github.checks) == 2)
    assert sorted(each.name for each in github.checks) == ["errand / build shop", "errand / hello"]


async def test_slack_message_whose_answer_was_lost_is_found_and_not_posted_again(
    errand: Installation,
) -> None:
    slack = errand.beside.slack
    slack.drop_answer("/api/chat.postMessage")
    await errand.comment("/job run hello")
    await slack.wait_for(lambda: any("succeeded" in each.text for each in slack.messages))
    assert len(slack.messages) == 1


async def test_github_that_fails_and_asks_to_wait_is_asked_again_as_it_wishes(errand: Installation) -> None:
    github = errand.beside.github
    github.fail(r"/comments$", 502, method="POST")
    github.fail(r"/comments$", 403, headers={"retry-after": "1"}, method="POST", times=1)
    github.fail(r"/permission$", 500)
    await errand.comment("/job run hello")
    assert len(await finished(errand)) == 1


async def test_slack_that_limits_is_asked_again_when_it_said(errand: Installation) -> None:
    slack = errand.beside.slack
    slack.limit("chat.postMessage", retry_after=1)
    await errand.slash("run hello")
    await slack.wait_for(lambda: any("succeeded" in each.text for each in slack.messages))
    assert len(slack.messages) == 1


async def test_place_that_refuses_for_good_does_not_keep_others_from_the_answer(
    errand: Installation,
) -> None:
    errand.beside.slack.channels[0].member = False
    await errand.comment("/job run hello")
    await finished(errand)
    await errand.wait_for(
        lambda: any(
            event.get("event") == "slack.fault" and "invite" in str(event.get("what"))
            for event in errand.events
        )
    )


async def test_with_a_token_commits_get_statuses(tmp_path: Path, where: Where) -> None:
    config = Path(shutil.copy(HERE / "app.yaml", tmp_path / "token.yaml"))
    with changing(config) as app:
        del app["github"]["app_id"], app["github"]["private_key"]
        app["github"]["token"] = "${GITHUB_TOKEN}"
    where["config"] = config
    where["environ"] = {**where["environ"], "GITHUB_TOKEN": "ghp_demo"}
    async with installation(tmp_path, **where) as errand:
        github = errand.beside.github
        github.add_token("ghp_demo", "octocat")
        await errand.push(await errand.commit({"README.md": "status"}))
        status = await github.wait_for(
            lambda: next((each for each in github.statuses if each.state == "success"), None), 20
        )
        assert status is not None
        assert (status.repository, status.context) == (REPOSITORY, "errand / build shop")
        assert github.checks == []
        await errand.comment("/job run exit")
        await github.wait_for(lambda: any(each.state == "failure" for each in github.statuses))


@pytest.mark.parametrize("public", [False, True])
async def test_link_on_a_public_repository_opens_nothing(tmp_path: Path, where: Where, public: bool) -> None:
    where["private"] = not public
    async with installation(tmp_path, **where) as errand:
        await errand.comment("/job run hello")
        (body,) = await finished(errand)
        assert ("signature=" in body) is not public
        await errand.slash("run hello")
        slack = errand.beside.slack
        await slack.wait_for(lambda: any("succeeded" in each.text for each in slack.messages))


@pytest.mark.postgres
async def test_whole_way_on_postgresql(tmp_path: Path, where: Where, postgres_url: str) -> None:
    where["environ"] = {**where["environ"], "ERRAND_DATABASE": postgres_url}
    async with installation(tmp_path, **where) as errand:
        await errand.comment("/job run hello")
        assert len(await finished(errand)) == 1
        await errand.kill()
        await errand.start()
        await errand.comment("/job run hello NAME=again")
        github = errand.beside.github
        await github.wait_for(
            lambda: any("NAME=again" in c.body and "succeeded" in c.body for c in github.comments), 40
        )
