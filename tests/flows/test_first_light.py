"""A push and a command travel the whole way."""

from demo.installation import CHANNEL, PULL, REPOSITORY, Installation


async def test_push_builds_the_image_and_tells_the_commit_and_the_channel(errand: Installation) -> None:
    commit = await errand.commit({"README.md": "new"})
    answer = await errand.push(commit)
    assert answer.status_code == 202

    check = await errand.beside.github.wait_for(
        lambda: next((each for each in errand.beside.github.checks if each.conclusion), None)
    )
    assert (check.repository, check.head_sha, check.conclusion) == (REPOSITORY, commit, "success")
    assert check.name == "errand / build shop"
    message = await errand.beside.slack.wait_for(
        lambda: next((each for each in errand.beside.slack.messages if "succeeded" in each.text), None)
    )
    assert message.channel == errand.beside.slack.channels[0].id


async def test_comment_runs_a_job_and_the_answer_comes_back(errand: Installation) -> None:
    github = errand.beside.github
    await errand.comment("Trying this:\n\n/job run hello NAME='big world'\n")

    card = await github.wait_for(
        lambda: next((each for each in github.comments if "succeeded" in each.body), None), 20
    )
    assert (card.repository, card.issue, card.login) == (REPOSITORY, PULL, github.bot_login)
    assert "hello" in card.body
    assert "exit code" not in card.body or "0" in card.body
    await github.wait_for(lambda: any(each.conclusion == "success" for each in github.checks))

    token = await errand.token("test")
    lines = [line async for line in errand.log_lines(1, token)]
    assert lines == ["\x1b[32mHello, big world!\x1b[0m", "key=***", "set up"]
    assert errand.beside.slack.channels[0].name == CHANNEL
