"""A form is opened for who may fill it in; others, and whoever has to wait, hear why."""

import pytest

from bot.handlers.slack import form_openings
from bot.handlers.slack.form_contents import FormContents
from tests.bot.handlers.slack.form_house import (
    USER,
    replies,
    shop,
    started,
    view_of,
    with_button,
    words,
)
from tests.bot.house import House

__all__ = ["shop"]


async def test_who_may_not_hears_why_and_gets_no_form(shop: House) -> None:
    await shop.slack.slash("run migrate", user="U0NOBODY")
    assert shop.slack.views == []
    assert "slack.people" in (await replies(shop))[-1]
    shop.github.state.repository("acme/shop").people["octocat"] = "read"  # type: ignore[union-attr]
    await shop.slack.slash("run migrate", user=USER)
    assert shop.slack.views == []
    assert "write access" in (await replies(shop))[-1]


async def test_somebody_whose_rights_take_long_sees_a_form_that_says_nothing_meanwhile(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_openings, "PATIENCE", 0.01)
    shop.github.slow("/collaborators/", 0.2)
    await shop.slack.slash("run migrate", user=USER)
    first, second = view_of(shop.slack).history
    assert "migrate" not in str(first)
    assert second["title"]["text"] == "Run migrate"
    shop.github.state.repository("acme/shop").people["octocat"] = "read"  # type: ignore[union-attr]
    shop.github.slow("/collaborators/", 0.2)
    await shop.slack.slash("run migrate", user=USER)
    assert "write access" in words(view_of(shop.slack))


async def test_somebody_who_closes_the_form_meanwhile_is_left_alone(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_openings, "PATIENCE", 0.01)
    shop.github.slow("/collaborators/", 0.2)
    shop.slack.say("views.update", "not_found")
    await shop.slack.slash("run migrate", user=USER)
    assert await replies(shop) == []


async def test_github_that_does_not_answer_is_told_and_the_form_is_not_asked_for_again(shop: House) -> None:
    shop.github.fail("/collaborators/", 503, times=9)
    await shop.slack.slash("run migrate", user=USER)
    assert shop.slack.views == []
    (reply,) = await replies(shop)
    assert "try again soon" in reply


@pytest.mark.parametrize("error", ["expired_trigger_id", "ratelimited", "view_too_large"])
async def test_form_that_slack_does_not_show_is_told_with_the_command_to_type(
    shop: House, error: str
) -> None:
    shop.slack.say("views.open", error)
    await shop.slack.slash("run migrate --ref feature", user=USER)
    assert "/job run migrate COUNT=... --ref feature" in (await replies(shop))[-1]


async def test_form_that_waits_says_so_where_something_went_wrong(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_about: object) -> None:
        await shop.slack.wait_for(lambda: shop.slack.views)  # the one that says that it takes a while
        raise ZeroDivisionError

    monkeypatch.setattr(form_openings, "PATIENCE", 0.01)
    monkeypatch.setattr(FormContents, "of_job", broken)
    with pytest.raises(ZeroDivisionError):
        await shop.slack.slash("run migrate", user=USER)
    assert "did not work" in words(view_of(shop.slack))


async def test_somebody_who_may_run_nothing_is_told_in_a_form_where_there_is_no_channel(shop: House) -> None:
    await shop.slack.shortcut("run_job", user="U0NOBODY")
    assert "slack.people" in words(view_of(shop.slack))
    await shop.slack.shortcut("other", user=USER)
    assert len(shop.slack.views) == 1


async def test_job_that_was_chosen_and_may_not_be_run_says_nothing_of_itself(shop: House) -> None:
    await shop.slack.shortcut("run_job", user=USER)
    view = view_of(shop.slack)
    shop.github.state.repository("acme/shop").people["octocat"] = "read"  # type: ignore[union-attr]
    await shop.slack.choose(view, "form.job", "migrate", user=USER)
    assert "write access" in words(view)
    assert "Migrates" not in words(view)


async def test_more_parameters_than_a_form_takes_are_told(shop: House) -> None:
    await shop.slack.slash("run wide P0=x", user=USER)
    assert shop.slack.views == []
    assert "91 parameters" in (await replies(shop))[-1]


async def test_run_button_opens_the_form_once_however_often_it_is_clicked(shop: House) -> None:
    message = with_button(shop, "job.run", "migrate")
    for _ in range(2):
        await shop.slack.press(message, "job.run", user=USER)
    assert len(shop.slack.views) == 1
    await shop.slack.submit(view_of(shop.slack), {"parameter.COUNT": "3"})
    assert [run.job for run in await started(shop)] == ["migrate"]
