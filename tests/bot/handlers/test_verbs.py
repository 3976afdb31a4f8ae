"""What the verbs do, for whom, and what they tell in which place."""

import re

import pytest
from sqlalchemy import update

from bot.catalog.catalog import Job
from bot.store.columns import BUILD, RUN
from bot.tables import Build, Run
from tests.bot.handlers.forking import looked_at, with_forks
from tests.bot.house import HEAD, SITE, House


async def test_cancel_in_the_same_comment_stops_what_the_line_before_started(home: House) -> None:
    (reply,) = await home.says("/job run plain\n/job cancel")
    assert (await home.run(1)).result == "cancelled"
    assert "1 is being stopped" in reply


async def test_cancel_by_name_in_the_same_comment_leaves_an_older_run_alone(home: House) -> None:
    await home.says("/job run plain")
    (reply,) = await home.says("/job run plain\n/job cancel plain\n/job status plain")
    assert [(await home.run(number)).result for number in (1, 2)] == [None, "cancelled"]
    assert "2" in reply
    assert "was cancelled" in reply


async def test_cancel_by_name_stops_the_one_that_is_under_way(home: House) -> None:
    await home.says("/job run check")
    (reply,) = await home.types("cancel check")
    assert ((await home.run(1)).result, "1 is being stopped" in reply) == ("cancelled", True)


async def test_cancel_by_name_means_the_run_of_this_place_first(home: House) -> None:
    await home.says("/job run check")
    await home.types("run check --ref main")
    await home.says("/job cancel check")
    assert [(await home.run(number)).result for number in (1, 2)] == ["cancelled", None]
    await home.says("/job run check")
    await home.types("cancel check")
    assert [(await home.run(number)).result for number in (2, 3)] == ["cancelled", None]


@pytest.mark.parametrize("text", ["/job cancel plain", "/job cancel"])
async def test_cancel_that_may_mean_several_lists_them_and_stops_none(home: House, text: str) -> None:
    for _ in range(2):
        await home.says("/job run plain")
    (reply,) = await home.says(text)
    assert "none was stopped" in reply
    assert "`/job cancel #2`" in reply
    assert reply.count("\n- ") == 2
    assert [(await home.run(number)).result for number in (1, 2)] == [None, None]


async def test_cancel_lists_no_run_that_the_asker_may_not_have(home: House) -> None:
    for _ in range(2):
        await home.says("/job run plain")
    await home.write(lambda s: s.execute(update(Run).where(RUN.number == 2).values(repository="acme/other")))
    (reply,) = await home.says("/job cancel plain")
    assert "1 is being stopped" in reply
    assert (await home.run(2)).stop_by is None


async def test_cancel_says_what_there_is_not(home: House) -> None:
    (reply,) = await home.says("/job cancel\n/job cancel plain\n/job cancel #9\n/job cancel nothing")
    for words in ("no unfinished run here", "no unfinished run of `plain`", "no run #9", "no job `nothing`"):
        assert words in reply


async def test_cancel_of_what_has_ended_tells_how(home: House) -> None:
    await home.says("/job run plain\n/job cancel")
    (reply,) = await home.says("/job cancel #1")
    assert "was cancelled" in reply


async def test_run_that_comes_into_being_meanwhile_is_not_given_to_who_may_not_have_it(home: House) -> None:
    """Nobody asked GitHub about the repository of a run that was not there when it could be asked."""
    await home.says("/job run plain")
    await home.write(lambda s: s.execute(update(Run).values(repository="acme/other")))
    (reply,) = await home.says("/job cancel plain")
    assert "not run here" in reply
    assert (await home.run(1)).stop_by is None


async def test_rerun_repeats_and_changes(home: House) -> None:
    await home.says("/job run plain WHO=me")
    await home.says("/job rerun #1\n/job rerun plain WHO=you\n/job rerun --latest")
    made = [await home.run(number) for number in (2, 3, 4)]
    assert [run.parameters["WHO"] for run in made] == ["me", "you", "me"]
    assert [run.rerun_of for run in made] == [1, 1, 1]


async def test_job_that_was_taken_away_is_not_run_again(home: House) -> None:
    await home.says("/job run plain")
    await home.write(lambda s: s.execute(update(Run).values(job="gone")))
    (reply,) = await home.says("/job rerun #1")
    assert "`gone` was taken away, so #1 is not run again" in reply


async def test_rerun_with_arguments_that_the_job_takes_no_more_is_refused(home: House) -> None:
    await home.says("/job run words -- a b")
    assert (await home.run(1)).arguments == ["a", "b"]
    await home.write(lambda s: s.execute(update(Run).values(job="plain")))
    (reply,) = await home.says("/job rerun #1 --latest")
    assert "takes no arguments" in reply


async def test_rerun_of_what_an_older_version_defined_says_how_to_go_on(home: House) -> None:
    await home.says("/job run plain")
    await home.write(lambda s: s.execute(update(Run).values(definition={"name": "plain", "odd": 1})))
    (reply,) = await home.says("/job rerun #1")
    assert "--latest" in reply


async def test_rerun_whose_build_is_forgotten_says_how_to_go_on(home: House) -> None:
    await home.says("/job run check")
    await home.write(lambda s: s.execute(update(Run).values(build_number=99)))
    (reply,) = await home.says("/job rerun #1")
    assert "no longer kept" in reply


async def test_rerun_of_a_build_takes_its_commit_and_waits_for_the_same_build(home: House) -> None:
    await home.types("run check --ref feature")
    await home.says("/job rerun #1")
    await home.types("rerun #1")
    again = [await home.run(number) for number in (2, 3)]
    assert [(run.commit, run.build_number, run.public) for run in again] == [("b" * 40, 1, False)] * 2


async def test_rerun_asks_whether_the_repository_is_public_by_now(home: House) -> None:
    await home.says("/job run publish", repository=SITE)
    assert (await home.run(1)).public
    home.github.state.repositories[SITE].private = True
    await home.types("rerun #1")
    assert not (await home.run(2)).public


async def test_public_place_hears_of_its_own_jobs_only(home: House) -> None:
    (reply,) = await home.says(
        "/job list\n/job run deplo\n/job help deploy\n/job run deploy\n/job build sho\n/job status deploy",
        repository=SITE,
    )
    assert "publish" in reply
    for private in ("check`", "SECRETIVE", "mean `deploy", "mean `shop"):
        assert private not in reply
    (reply,) = await home.says("/job list\n/job help deploy")
    assert "check" in reply
    assert "SECRETIVE" in reply


async def test_public_place_gets_no_run_of_another_repository(home: House) -> None:
    await home.says("/job run check")
    for text in ("/job status #1", "/job logs #1", "/job cancel #1", "/job rerun #1"):
        (reply,) = await home.says(text, repository=SITE)
        assert "only jobs of that same repository" in reply
        assert "topic" not in reply


async def test_logs_and_status_reply_with_links_that_open(home: House) -> None:
    await home.says("/job run plain")
    old = home.now - 60 * 86400
    await home.write(lambda s: s.execute(update(Run).values(created_at=old)))
    (reply,) = await home.says("/job status\n/job logs #1")
    expires = int(reply.partition("expires=")[2].partition("&")[0])
    assert expires > home.now + 20 * 86400
    assert "Nothing was written yet" in reply


def numbers(reply: str) -> list[int]:
    """The runs of a list, in its order."""
    return [int(found) for found in re.findall(r"^- .*?#\u200b?(\d+)", reply, re.MULTILINE)]


async def test_long_history_comes_in_pages_here_and_in_slack(home: House) -> None:
    for _ in range(2):
        await home.says("/job run plain\n" * 10)
    await home.says("/job run plain\n/job run check\n/job run check")
    (reply,) = await home.says("/job status")
    assert numbers(reply) == [*range(23, 13, -1)]
    assert "`/job status --page 2`" in reply
    (reply,) = await home.says("/job status --page 3")
    assert (numbers(reply), "Page 3, the last one" in reply) == ([3, 2, 1], True)
    (reply,) = await home.says("/job status plain --page 2")
    assert numbers(reply) == [*range(11, 1, -1)]
    assert "`/job status plain --page 3`" in reply
    (reply,) = await home.types("status check --page 1")
    assert (numbers(reply), "page" in reply) == ([23, 22], False)
    (reply,) = await home.types("status --page 3")
    assert numbers(reply) == [3, 2, 1]  # of the same person, on GitHub
    (reply,) = await home.says("/job status --page 9\n/job status --page 101\n/job status #1 --page 2")
    for words in ("no runs on page 9", "There are 100 pages here", "a number means one run"):
        assert words in reply
    (reply,) = await home.types("cancel check")
    assert "Several runs" in reply
    (reply,) = await home.says("/job cancel plain")
    assert "`/job status plain --page 1` lists them" in reply


async def test_pages_of_a_job_are_for_who_may_run_it(home: House) -> None:
    await home.says("/job run plain\n/job run check")
    (reply,) = await home.types("status plain --page 1")
    assert "ask in a pull request" in reply
    (reply,) = await home.says("/job status check --page 1\n/job status plain --page 1", repository=SITE)
    assert "There is no job `check`" in reply
    assert numbers(reply) == []
    home.github.add_person("acme/shop", "octocat", "read")
    (reply,) = await home.types("status check --page 1")
    assert "write access" in reply


async def test_status_in_slack_shows_the_runs_of_who_asks(home: House) -> None:
    home.github.add_person("acme/shop", "hubot", "write")
    await home.says("/job run plain", author="hubot")
    await home.says("/job run deploy SECRETIVE=1", author="OctoCat")
    await home.types("run check")
    (reply,) = await home.types("status")
    assert "check" in reply
    assert "deploy" in reply
    assert "plain" not in reply


async def test_status_in_slack_shows_nothing_that_who_asks_may_not_have_any_more(home: House) -> None:
    await home.says("/job run check")
    await home.types("run check")
    await home.types("run publish")
    home.github.add_person("acme/site", "octocat", "write")
    await home.types("run publish")
    home.github.add_person("acme/shop", "octocat", "read")
    (reply,) = await home.types("status")
    assert "publish" in reply
    assert "check" not in reply
    assert "/runs/1" not in reply


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run check --image v2", "in no registry, so it has no tags"),
        ("run plain", "no image, so no repository"),
        ("run check --ref nowhere", "no branch, tag or commit"),
        ("run check --ref ../../x", "no branch, tag or commit"),
        ("approve #1", "There is no run #1."),
        ("frobnicate", "frobnicate"),
        ("help run", "run NAME"),
        ("help", "/job"),
    ],
)
async def test_slack_answers_only_who_asked(home: House, text: str, words: str) -> None:
    (reply,) = await home.types(text)
    assert words in reply
    assert [post.kind for post in await home.posts()] == ["slack_response"]


async def test_build_is_told_once_it_is_there(home: House) -> None:
    (reply,) = await home.types("build shop")
    assert "on its way" in reply
    await home.write(
        lambda s: s.execute(
            update(Build).where(BUILD.number == 1).values(state="finished", result="succeeded", digest="d")
        )
    )
    (reply,) = await home.types("build shop")
    assert "already built" in reply
    assert (await home.build(1)).commit == HEAD


async def test_repository_is_the_same_however_its_name_is_spelt(home: House) -> None:
    """The configuration says Acme/Shop; the pull request's own commit is meant, not the default branch's."""
    await home.says("/job run check")
    run = await home.run(1)
    assert (run.repository, run.commit) == ("Acme/Shop", "c" * 40)
    (reply,) = await home.says("/job status")
    assert "check" in reply


async def test_fork_is_not_built_and_a_gone_one_neither(home: House) -> None:
    for head in ("stranger/shop", None):
        home.github.add_pull("acme/shop", 7, "d" * 40, "main", head_repository=head)
        (reply,) = await home.says("/job run check")
        assert "fork" in reply


async def test_rerun_keeps_to_the_overlap_of_today(home: House) -> None:
    await home.says("/job run plain\n/job cancel")
    job = home.tools.registry.catalog.jobs["plain"]
    today = job.model_copy(update={"lock": "prod", "concurrency": "forbid"})
    config = home.tools.registry.config.model_copy(
        update={"jobs": {**home.tools.registry.config.jobs, "plain": today}}
    )
    await home.tools.registry.apply(config)
    (reply,) = await home.says("/job rerun #1\n/job rerun #1")
    again = await home.run(2)
    assert (again.lock, again.concurrency, again.version) == ("prod", "forbid", 1)
    assert Job.model_validate(again.definition) == job
    assert "`plain` is not started: #2" in reply.replace("\u200b", "")


async def test_fork_that_was_run_once_is_not_run_again_where_forks_are_not_run_any_more(home: House) -> None:
    open_house = with_forks(home)
    for head, ref in (
        ("stranger/shop", "stranger/shop:topic"),
        (None, "a fork:topic"),
        ("Acme/Shop", "topic"),
    ):
        home.github.add_pull("acme/shop", 7, "d" * 40, "main", head_repository=head)
        await looked_at(open_house, "d" * 40, 7)
        await open_house.says("/job run check")
        run = await home.run(1 if head == "stranger/shop" else 2 if head is None else 3)
        assert (run.ref or "").rpartition(":")[0] == ref.rpartition(":")[0]
    (reply,) = await home.says("/job rerun #1\n/job rerun #2\n/job rerun #3")
    assert reply.count("code of forks is not run here") == 2
    assert (await home.run(4)).rerun_of == 3
    assert await open_house.says("/job rerun #1") == []
