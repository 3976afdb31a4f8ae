"""Forms, the whole way: asked for, filled in wrongly, filled in rightly, and run."""

import pytest

from demo.installation import Installation
from demo.slack import Message, View

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _form(errand: Installation, title: str = "Run migrate") -> View:
    """The form that somebody sees, once it is there."""
    slack = errand.beside.slack

    def there() -> View | None:
        shown = (each for each in slack.views if each.open)
        return next((each for each in shown if each.content["title"]["text"] == title), None)

    return await slack.wait_for(there)


async def _card(errand: Installation, words: str) -> Message:
    """The message of the run that was given this, when it has ended well."""
    slack = errand.beside.slack

    def ended() -> Message | None:
        cards = [each for each in slack.messages if words in str(each.blocks) and "migrate" in each.text]
        assert len(cards) <= 1
        return next((each for each in cards if "succeeded" in each.text), None)

    return await slack.wait_for(ended)


async def test_command_that_lacks_something_is_completed_in_a_form(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run migrate TARGET=production")
    view = await _form(errand)
    right = {"parameter.SINCE": "2026-01-31", "parameter.BATCH": "7", "parameter.DRY_RUN": True}
    answer = await slack.submit(view, {**right, "ref": "not a ref"})
    assert answer.json()["response_action"] == "errors"
    assert set(view.errors) == {"ref"}
    answer = await slack.submit(view, {"ref": None})
    assert (answer.status_code, answer.content) == (200, b"")
    view.open = True
    await slack.submit(view)  # clicked twice
    card = await _card(errand, "SINCE=2026-01-31")
    for words in ("BATCH=7", "TARGET=production", "DRY_RUN=true"):
        assert words in str(card.blocks)


async def test_shortcut_of_a_message_runs_a_job_below_it(errand: Installation) -> None:
    slack = errand.beside.slack
    message = slack.write("please migrate")
    await slack.message_shortcut(message, "run_job_here")
    menu = await _form(errand, "Run a job")
    await slack.choose(menu, "form.job", "migrate")
    view = await _form(errand)
    assert view is menu
    await slack.submit(view, {"parameter.SINCE": "2026-02-28"})
    card = await _card(errand, "SINCE=2026-02-28")
    assert card.thread_ts == message.ts


async def test_who_may_not_gets_no_form(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run migrate", person="U0STRANGER")
    await slack.wait_for(lambda: any(each.user == "U0STRANGER" for each in slack.ephemerals))
    assert not [each for each in slack.views if each.user == "U0STRANGER"]


async def test_run_is_repeated_with_changes_from_its_card(errand: Installation) -> None:
    slack = errand.beside.slack

    def card(name: str) -> Message | None:
        found = (each for each in slack.messages if f"NAME={name}" in str(each.blocks))
        return next((each for each in found if "succeeded" in each.text), None)

    await errand.slash("run hello NAME=Ada")
    first = await slack.wait_for(lambda: card("Ada"))
    await slack.press(first, "run.change")
    view = await _form(errand, "Run hello")
    assert view.values["parameter.NAME"]["value"]["value"] == "Ada"
    await slack.submit(view, {"parameter.NAME": "Grace"})
    second = await slack.wait_for(lambda: card("Grace"))
    assert "again from #" in str(second.blocks)


async def test_button_of_home_asks_in_which_channel_the_run_is_told_of(errand: Installation) -> None:
    slack = errand.beside.slack
    await slack.open_home()
    home = await slack.wait_for(lambda: next(iter(slack.homes.values()), None))
    await slack.press(home, "job.run", value="hello")
    view = await _form(errand, "Run hello")
    other = slack.add_channel("other")
    await slack.submit(view, {"parameter.NAME": "Lin", "channel": other.id})
    await slack.wait_for(
        lambda: any(each.channel == other.id and "succeeded" in each.text for each in slack.messages)
    )
    told = [each.text for each in slack.ephemerals if each.channel == other.id]
    assert any("on its way" in text for text in told)
