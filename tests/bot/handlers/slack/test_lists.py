"""The command alone, and the mention alone: the jobs that somebody may run, seen by them alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.messages.slack.actions import Action
from tests.bot.handlers.slack.hands import OCTOCAT, let_in, text_of
from tests.bot.house import House, house
from tests.bot.posting.test_direct_messages import send

MANY = {f"job-{number:02}": {"image": "shop", "command": "true"} for number in range(25)}


@pytest.fixture
async def many(tmp_path: Path) -> AsyncIterator[House]:
    """A house with 28 jobs of repositories."""
    async with house(tmp_path, changes={"jobs": MANY}) as made:
        let_in(made)
        yield made


async def test_command_alone_shows_the_jobs_with_run_buttons(home: House) -> None:
    let_in(home)
    await home.types("run check")
    await home.slack.slash("", user=OCTOCAT)
    await send(home)
    told = home.slack.ephemerals[-1]
    shown = text_of(told.blocks)
    assert (told.user, told.text) == (OCTOCAT, "3 jobs that you may run")
    assert [shown.count(f'"value": "{name}"') for name in ("check", "deploy", "publish", "plain")] == [
        1,
        1,
        1,
        0,
    ]
    assert "|#1> is waiting" in shown


async def test_page_takes_the_place_of_the_one_before(many: House) -> None:
    await many.slack.slash("", user=OCTOCAT)
    await send(many)
    (told,) = many.slack.ephemerals
    assert "Page 1 of 3, 28 jobs" in text_of(told.blocks)
    await many.slack.press(told, Action.LIST_PAGE)
    await send(many)
    (told,) = many.slack.ephemerals
    assert "Page 2 of 3, 28 jobs" in text_of(told.blocks)
    await many.slack.press(told, Action.LIST_BACK)
    await send(many)
    (told,) = many.slack.ephemerals
    assert "Page 1 of 3, 28 jobs" in text_of(told.blocks)


async def test_mention_alone_shows_the_same_in_its_thread(many: House) -> None:
    root = many.slack.write("what can it do?")
    await many.slack.mention("", user=OCTOCAT, thread=root.ts)
    await send(many)
    (told,) = many.slack.ephemerals
    assert (told.thread_ts, "Page 1 of 3, 28 jobs" in text_of(told.blocks)) == (root.ts, True)


async def test_who_may_run_nothing_is_told_whom_to_ask(home: House) -> None:
    let_in(home)
    home.github.add_person("acme/shop", "octocat", "read")
    home.github.add_person("acme/site", "octocat", "read")
    await home.slack.slash(" ", user=OCTOCAT)
    await home.slack.slash("", user="U0NOBODY")
    await send(home)
    texts = {told.user: told.text for told in home.slack.ephemerals}
    assert "ask whoever owns yours" in texts[OCTOCAT]
    assert "slack.people" in texts["U0NOBODY"]


async def test_github_is_asked_once_for_each_repository(many: House) -> None:
    before = len(many.github.requests)
    await many.slack.slash("", user=OCTOCAT)
    asked = [each.path for each in many.github.requests[before:] if each.path.endswith("/permission")]
    assert len(asked) == 2


async def test_button_that_finds_a_job_asks_which(many: House) -> None:
    await many.slack.slash("", user=OCTOCAT)
    await send(many)
    (told,) = many.slack.ephemerals
    for _ in range(2):
        await many.slack.press(told, Action.JOB_RUN, label="Find a job")
    (form,) = many.slack.views
    assert '"job-24"' in text_of(form.blocks)
