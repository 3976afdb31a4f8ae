"""A form is opened for who may fill it in, shows what is wrong in it, and runs what its command would."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.catalog.catalog import Job
from bot.events import slack as readers
from bot.handlers.slack import form_openings
from bot.handlers.slack.form_contents import FormContents
from bot.handlers.slack.instant import InstantAnswers
from bot.messages.slack import elements as made
from bot.messages.slack import forms
from bot.tables import Run
from demo.deliveries import Delivery
from demo.slack import Message, SlackStandIn, View
from demo.slack.inputs import elements
from tests.bot.house import House, house

JOBS = (
    """
migrate:
  image: shop
  command: ["run"]
  arguments: true
  concurrency: forbid
  description: Migrates the database
  parameters:
    COUNT: {type: integer, minimum: 1, maximum: 10, required: true, description: How many}
    WHERE: {choices: [staging, production], default: staging}
    DRY: {type: boolean, default: true}
    SINCE: {pattern: '\\d{4}-\\d\\d-\\d\\d'}
    NOTE: {}
pick:
  image: shop
  command: "true"
  parameters:
    SHARE: {type: number, minimum: 0.5, default: 0.75}
    SURE: {type: boolean, required: true}
    NOTES: {default: "two\\nlines"}
    ITEM:
      required: true
      choices:
"""
    + "".join(f"      - item-{n}\n" for n in range(120))
    + """
wide:
  image: shop
  command: "true"
  parameters:
"""
    + "".join(f"    P{n}: {{required: true}}\n" for n in range(91))
)
USER = "U0OCTOCAT"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[House]:
    """A house at whose door Slack's people press, fill in and submit."""
    async with house(tmp_path, jobs=JOBS) as made:

        async def door(sent: Delivery) -> httpx.Response:
            media = sent.headers["Content-Type"]
            payload = readers.payload(media, sent.body)
            answer = InstantAnswers(made.tools.registry).of(payload) if "type" in payload else None
            if answer is not None:
                return httpx.Response(200, json=answer)
            kind = "interactivity" if "type" in payload else "command"
            stored = await made.deliver(kind, sent.body, source="slack")
            await made.bot.deliveries.handle(stored)
            return httpx.Response(200)

        made.slack.reach(door, "signing-secret")
        made.slack.add_person("octocat", id=USER)
        yield made


def view_of(slack: SlackStandIn) -> View:
    """The one modal that is open."""
    (view,) = [each for each in slack.views if each.open]
    return view


def filled(view: View) -> dict[str, Any]:
    """What stands in the inputs."""
    states = {block: next(iter(actions.values())) for block, actions in view.values.items()}
    return {
        block: next((state[key] for key in state if key != "type"), None) for block, state in states.items()
    }


def words(view: View) -> str:
    """All that a modal says."""
    return str(view.blocks)


async def replies(home: House) -> list[str]:
    return [post.text for post in await home.posts() if post.text]


async def started(home: House) -> list[Run]:
    runs = [await home.store.read(lambda s, n=n: s.get(Run, n)) for n in range(1, 5)]  # type: ignore[misc]
    return [run for run in runs if run is not None]


async def test_command_without_what_is_required_opens_the_form_with_what_was_typed(shop: House) -> None:
    slack = shop.slack
    await slack.slash("run migrate WHERE=production --ref feature -- --fast 'two words'", user=USER)
    view = view_of(slack)
    assert view.content["title"]["text"] == "Run migrate"
    assert filled(view) == {
        "parameter.COUNT": None,
        "parameter.WHERE": _option("production"),
        "parameter.DRY": [_option("true", "Yes")],
        "parameter.SINCE": None,
        "parameter.NOTE": None,
        "arguments": "--fast 'two words'",
        "ref": "feature",
    }
    said = words(view)
    assert "Migrates the database" in said
    assert "acme/shop" in said.lower()
    assert "refused while another run" in said
    assert await started(shop) == []


def _option(value: str, text: str | None = None) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": text or value, "emoji": False}, "value": value}


async def test_mistake_is_shown_at_the_field_and_what_is_right_runs_once(shop: House) -> None:
    slack = shop.slack
    await slack.slash("run migrate", user=USER)
    view = view_of(slack)
    count = next(each for each in elements(view.blocks) if each.block_id == "parameter.COUNT")
    assert (count.content["min_value"], count.content["max_value"]) == ("1", "10")
    await slack.submit(view, {"parameter.COUNT": "3", "ref": "no..ref", "arguments": "'open"})
    assert set(view.errors) == {"ref", "arguments"}
    assert await started(shop) == []
    right = {
        "ref": "feature",
        "arguments": "-x 'a b'",
        "parameter.DRY": [],
        "parameter.SINCE": "2026-01-31",
        "parameter.NOTE": "two\nlines",
    }
    await slack.submit(view, right)
    assert not view.open
    view.open = True
    await slack.submit(view)  # clicked twice
    (run,) = await started(shop)
    given = {"COUNT": "3", "WHERE": "staging", "DRY": "false", "SINCE": "2026-01-31", "NOTE": "two\nlines"}
    assert run.parameters == given
    assert (run.arguments, run.ref, run.actor) == (["-x", "a b"], "feature", "slack:octocat")
    cards = [post for post in await shop.posts() if post.kind == "slack_message"]
    assert [post.place["channel"] for post in cards] == [slack.channels[0].id]
    assert len([text for text in await replies(shop) if "on its way" in text]) == 1


async def test_who_may_not_hears_why_and_gets_no_form(shop: House) -> None:
    await shop.slack.slash("run migrate", user="U0NOBODY")
    assert shop.slack.views == []
    assert "slack.people" in (await replies(shop))[-1]
    shop.github.state.repository("acme/shop").people["octocat"] = "read"  # type: ignore[union-attr]
    await shop.slack.slash("run migrate", user=USER)
    assert shop.slack.views == []
    assert "write access" in (await replies(shop))[-1]


async def test_right_that_was_taken_away_meanwhile_counts(shop: House) -> None:
    await shop.slack.slash("run migrate", user=USER)
    shop.github.state.repository("acme/shop").people["octocat"] = "read"  # type: ignore[union-attr]
    await shop.slack.submit(view_of(shop.slack), {"parameter.COUNT": "3"})
    assert await started(shop) == []
    reply = (await replies(shop))[-1]
    assert "write access" in reply
    assert "/job run migrate COUNT=3" in reply


async def test_what_only_github_knows_is_answered_with_a_command_to_send_again(shop: House) -> None:
    await shop.slack.slash("run migrate", user=USER)
    await shop.slack.submit(view_of(shop.slack), {"parameter.COUNT": "3", "ref": "nowhere"})
    reply = (await replies(shop))[-1]
    assert "nowhere" in reply
    assert "/job run migrate COUNT=3 WHERE=staging DRY=true --ref nowhere" in reply


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


async def test_menu_with_a_search_is_asked_for_what_fits_and_its_choice_is_taken(shop: House) -> None:
    await shop.slack.slash("run pick", user=USER)
    view = view_of(shop.slack)
    kinds = {each.block_id: each.content["type"] for each in elements(view.blocks)}
    assert kinds["parameter.ITEM"] == "external_select"
    await shop.slack.submit(view, {"parameter.ITEM": "item-119", "parameter.SURE": "false"})
    (run,) = await started(shop)
    assert run.parameters == {"SHARE": "0.75", "SURE": "false", "NOTES": "two\nlines", "ITEM": "item-119"}


async def test_more_parameters_than_a_form_takes_are_told(shop: House) -> None:
    await shop.slack.slash("run wide P0=x", user=USER)
    assert shop.slack.views == []
    assert "91 parameters" in (await replies(shop))[-1]


async def test_run_button_opens_the_form_once_however_often_it_is_clicked(shop: House) -> None:
    message = _with_button(shop, "job.run", "migrate")
    for _ in range(2):
        await shop.slack.press(message, "job.run", user=USER)
    assert len(shop.slack.views) == 1
    await shop.slack.submit(view_of(shop.slack), {"parameter.COUNT": "3"})
    assert [run.job for run in await started(shop)] == ["migrate"]


async def test_mention_that_lacks_something_is_answered_with_a_button_that_opens_the_form(
    shop: House,
) -> None:
    event = {"type": "app_mention", "user": USER, "ts": "5.6", "channel": shop.slack.channels[0].id}
    await shop.tells({**event, "text": "<@U0ERRAND> run migrate NOTE='a b' --ref feature"})
    reply = (await shop.posts())[-1]
    button = reply.place["blocks"][1]["elements"][0]
    assert "`COUNT` is required" in (reply.text or "")
    message = _with_button(shop, button["action_id"], button["value"])
    await shop.slack.press(message, "job.run", user=USER)
    values = filled(view_of(shop.slack))
    assert (values["parameter.NOTE"], values["ref"]) == ("a b", "feature")
    await shop.tells({**event, "ts": "7.8", "text": "<@U0ERRAND> run migrate COUNT=x"})
    assert "blocks" not in (await shop.posts())[-1].place


async def test_change_opens_the_form_of_a_run_and_repeats_it_with_what_was_changed(shop: House) -> None:
    await shop.types("run migrate COUNT=3 NOTE=hi --ref feature -- -x")
    await _ended(shop, 1)
    message = _with_button(shop, "run.change", "1")
    await shop.slack.press(message, "run.change", user=USER)
    view = view_of(shop.slack)
    values = filled(view)
    assert (values["parameter.COUNT"], values["parameter.NOTE"], values["ref"]) == ("3", "hi", "feature")
    assert values["arguments"] == "-x"
    assert "as #1 did" in words(view)
    await shop.slack.submit(view, {"parameter.COUNT": "4"})
    second = (await started(shop))[1]
    assert (second.rerun_of, second.parameters["COUNT"], second.ref) == (1, "4", "feature")
    await _ended(shop, 2)
    fresh = _with_button(shop, "run.change", "2")
    await shop.slack.press(fresh, "run.change", user=USER)
    await shop.slack.submit(view_of(shop.slack), {"ref": "main", "parameter.NOTE": ""})
    third = (await started(shop))[2]
    assert (third.rerun_of, third.ref, "NOTE" in third.parameters) == (None, "main", False)


async def test_shortcut_asks_which_job_and_in_which_channel(shop: House) -> None:
    slack = shop.slack
    await slack.shortcut("run_job", user=USER)
    view = view_of(slack)
    offered = [each["value"] for each in view.blocks[1]["elements"][0]["options"]]
    assert offered == ["check", "deploy", "migrate", "pick", "publish", "wide"]
    await slack.choose(view, "form.job", "migrate", user=USER)
    assert view.content["title"]["text"] == "Run migrate"
    other = slack.add_channel("other")
    await slack.submit(view, {"parameter.COUNT": "3", "channel": other.id})
    assert [run.job for run in await started(shop)] == ["migrate"]
    cards = [post for post in await shop.posts() if post.kind == "slack_message"]
    assert [post.place["channel"] for post in cards] == [other.id]
    assert any("on its way" in text for text in await replies(shop))


async def test_verb_alone_asks_which_job(shop: House) -> None:
    slack = shop.slack
    await slack.slash("run", user=USER)
    view = view_of(slack)
    await slack.choose(view, "form.job", "migrate", user=USER)
    await slack.submit(view, {"parameter.COUNT": "3"})
    (card,) = [post for post in await shop.posts() if post.kind == "slack_message"]
    assert card.place["channel"] == slack.channels[0].id


async def test_form_that_waits_says_so_where_something_went_wrong(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_about: object) -> None:
        await asyncio.sleep(0.1)
        raise ZeroDivisionError

    monkeypatch.setattr(form_openings, "PATIENCE", 0.01)
    monkeypatch.setattr(FormContents, "of_job", broken)
    with pytest.raises(ZeroDivisionError):
        await shop.slack.slash("run migrate", user=USER)
    assert "did not work" in words(view_of(shop.slack))


async def test_shortcut_of_a_message_brings_the_card_below_it(shop: House) -> None:
    slack = shop.slack
    message = slack.write("please migrate")
    await slack.message_shortcut(message, "run_job_here", user=USER)
    view = view_of(slack)
    await slack.choose(view, "form.job", "migrate", user=USER)
    assert "channel" not in filled(view)
    await slack.submit(view, {"parameter.COUNT": "3"})
    (card,) = [post for post in await shop.posts() if post.kind == "slack_message"]
    assert (card.place["channel"], card.place["thread"]) == (message.channel, message.ts)


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


async def test_form_of_nobody_s_is_ignored(shop: House) -> None:
    await shop.slack.slash("run migrate", user=USER)
    view = view_of(shop.slack)
    view.content["private_metadata"] = '{"job": "migrate", "rerun_of": 99}'
    await shop.slack.submit(view, {"parameter.COUNT": "3"})
    view.content["callback_id"], view.open = "other", True
    await shop.slack.submit(view, {"parameter.COUNT": "3"})
    assert await started(shop) == []


def _with_button(home: House, action: str, value: str) -> Message:
    """A message of ours in the first channel with one button."""
    slack = home.slack
    blocks = [made.actions(made.button("Press", action, value))]
    ts = slack.stamp()
    message = Message(slack.channels[0].id, ts, slack.bot_id, None, [("x", blocks)])
    slack.messages.append(message)
    return message


async def _ended(home: House, number: int) -> None:
    """A run is over, so that another one may begin."""
    await home.types(f"cancel #{number}")
    assert (await home.run(number)).result == "cancelled"


def test_form_says_what_the_job_requires_and_holds() -> None:
    about = {"name": "x", "command": "true", "requires": ["checks", {"base": ["main"]}], "lock": "prod"}
    view = forms.run_form(forms.RunForm(Job.model_validate(about), None, None), {"job": "x"})
    said = str(view["blocks"])
    assert "`checks` `base`" in said
    assert "`prod`" in said
    assert "no image" in said
