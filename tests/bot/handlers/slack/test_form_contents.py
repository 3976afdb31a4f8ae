"""A form says what is in the way now; where there is none for somebody, they hear why."""

from typing import Any

import pytest
from sqlalchemy import update

from bot.tables import Run
from tests.bot.handlers.slack.form_house import USER, replies, shop, started, view_of, with_button, words
from tests.bot.house import SHOP, House

__all__ = ["shop"]


async def test_form_says_what_is_locked_and_what_is_under_way(shop: House) -> None:
    await shop.types('lock migrate "moving the database" --everyone')
    await shop.slack.slash("run migrate", user=USER)
    said = words(view_of(shop.slack))
    assert "would wait now" in said
    assert "moving the database" in said
    await shop.types("unlock migrate")
    await shop.types("run migrate COUNT=1")
    await shop.slack.slash("run migrate", user=USER)
    assert "now: `migrate` is not started: #1" in words(view_of(shop.slack))


async def test_form_says_that_the_schedule_is_paused(shop: House) -> None:
    await shop.types("pause nightly for 2h")
    await shop.slack.press(with_button(shop, "job.run", "nightly"), "job.run", user=USER)
    said = words(view_of(shop.slack))
    assert "its schedule is paused until" in said
    assert "octocat" in said
    await shop.types("pause nightly")
    await shop.slack.press(with_button(shop, "job.run", "nightly"), "job.run", user=USER)
    assert "its schedule is paused by" in words(view_of(shop.slack))


async def test_run_of_a_job_that_is_gone_has_no_form(shop: House) -> None:
    await shop.types("run migrate COUNT=1")
    await shop.write(lambda s: s.execute(update(Run).values(job="other")))
    await shop.slack.press(with_button(shop, "run.change", "1"), "run.change", user=USER)
    assert "taken away" in (await replies(shop))[-1]
    await shop.write(lambda s: s.execute(update(Run).values(job="exec")))
    await shop.slack.press(with_button(shop, "run.change", "1"), "run.change", user=USER)
    assert "single command" in (await replies(shop))[-1]
    for number in ("99", "x", "9" * 30):
        await shop.slack.press(with_button(shop, "run.change", number), "run.change", user=USER)
        assert "There is no run" in (await replies(shop))[-1]
    assert shop.slack.views == []


async def test_value_that_is_too_long_for_a_field_is_told_and_not_cut(shop: House) -> None:
    await shop.types(f"run migrate COUNT=1 NOTE={'x' * 3500}")
    await shop.slack.press(with_button(shop, "run.change", "1"), "run.change", user=USER)
    assert shop.slack.views == []
    assert "/job rerun #1 KEY=VALUE" in (await replies(shop))[-1]


async def test_jobs_of_which_nothing_is_known_now_are_told(shop: House) -> None:
    shop.github.fail("/collaborators/", 503, times=9)
    await shop.slack.slash("run", user=USER)
    assert "which jobs you may run" in (await replies(shop))[-1]


async def test_jobs_of_repositories_that_one_may_not_write_to_are_not_offered(shop: House) -> None:
    shop.github.state.repository(SHOP).people.clear()  # type: ignore[union-attr]
    await shop.slack.slash("run", user=USER)
    assert [each["value"] for each in view_of(shop.slack).blocks[1]["elements"][0]["options"]] == ["publish"]


async def test_button_with_what_is_no_job_is_told(shop: House) -> None:
    for value in ("no such job", "nothing", "'open", "--ref x"):
        await shop.slack.press(with_button(shop, "job.run", value), "job.run", user=USER)
    assert shop.slack.views == []
    assert all("There is no job" in text for text in await replies(shop))


@pytest.mark.parametrize("metadata", ["", "[]", "{"])
async def test_menu_of_no_form_of_ours_is_ignored(shop: House, metadata: str) -> None:
    await shop.slack.slash("run", user=USER)
    view = view_of(shop.slack)
    view.content["private_metadata"] = metadata
    await shop.slack.choose(view, "form.job", "migrate", user=USER)
    assert view.content["title"]["text"] == "Run a job"


async def test_what_was_typed_at_length_does_not_fit_into_a_button(shop: House) -> None:
    event: dict[str, Any] = {"type": "app_mention", "user": USER, "ts": "5.6"}
    event |= {"channel": shop.slack.channels[0].id, "text": f"<@U0ERRAND> run migrate NOTE={'x' * 2500}"}
    await shop.tells(event)
    assert (await shop.posts())[-1].place["blocks"][1]["elements"][0]["value"] == "migrate"


async def test_job_that_was_changed_after_the_door_had_looked_is_told_in_words(shop: House) -> None:
    await shop.slack.slash("run migrate", user=USER)
    payload = shop.slack.interactions.view_submission(view_of(shop.slack), shop.slack.people[0])
    payload["user"]["id"] = USER
    (reply,) = await shop.does(payload)  # past the door: nothing is filled in
    assert "`migrate` was not started" in reply
    assert "/job run migrate" in reply
    for job, said in (("gone", "taken away"), ("", "")):
        payload["view"]["private_metadata"] = (
            f'{{"job": "{job}", "channel": "C00000001", "response_url": "u"}}'
        )
        payload["view"]["id"] += "x"
        assert [said in each for each in await shop.does(payload)] == ([True] if said else [])
    payload["user"]["id"] = "U0NOBODY"
    payload["view"]["private_metadata"] = '{"job": "migrate", "channel": "C00000001", "response_url": "u"}'
    payload["view"]["id"] += "x"
    assert "slack.people" in (await shop.does(payload))[0]
    assert await started(shop) == []
