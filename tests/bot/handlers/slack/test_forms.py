"""A form shows what is wrong in it, all at once, and runs what its command would, once."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.catalog.catalog import Job
from bot.messages.slack import forms
from demo.slack.inputs import elements
from tests.bot.handlers.slack.form_house import (
    USER,
    ended,
    filled,
    option,
    replies,
    shop,
    started,
    view_of,
    with_button,
    words,
)
from tests.bot.house import House

__all__ = ["shop"]


async def test_command_without_what_is_required_opens_the_form_with_what_was_typed(shop: House) -> None:
    slack = shop.slack
    await slack.slash("run migrate WHERE=production --ref feature -- --fast 'two words'", user=USER)
    view = view_of(slack)
    assert view.content["title"]["text"] == "Run migrate"
    assert filled(view) == {
        "parameter.COUNT": None,
        "parameter.WHERE": option("production"),
        "parameter.DRY": [option("true", "Yes")],
        "parameter.SINCE": None,
        "parameter.NOTE": None,
        "arguments": "--fast 'two words'",
        "ref": "feature",
        "when": None,
    }
    said = words(view)
    assert "Migrates the database" in said
    assert "acme/shop" in said.lower()
    assert "refused while another run" in said
    assert await started(shop) == []


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


async def test_form_starts_a_run_later_by_the_clocks_of_who_fills_it_in(shop: House) -> None:
    slack = shop.slack
    await slack.slash("run migrate at 22:00", user=USER)
    view = view_of(slack)
    assert filled(view)["when"] == "at 22:00"
    for wrong in ("22:00", "soon", "at 22:00 --ref x", "in 2h NOTE=x", "in 400d"):
        await slack.submit(view, {"parameter.COUNT": "3", "when": wrong})
        assert set(view.errors) == {"when"}, wrong
    assert await started(shop) == []
    await slack.submit(view, {"when": "at 22:00"})
    (run,) = await started(shop)
    clock = datetime.fromtimestamp(run.due_at or 0.0, ZoneInfo("Europe/Berlin"))  # theirs in Slack
    assert (run.hold, clock.hour, clock.minute) == ("time", 22, 0)
    assert "your time zone in Slack" in (await replies(shop))[-1]
    await slack.slash("run migrate in 2h", user=USER)
    await slack.submit(view_of(slack), {"parameter.COUNT": "4"})
    assert (await started(shop))[1].due_at == shop.now + 7200


async def test_time_that_has_passed_is_told_with_the_command_to_send_again(shop: House) -> None:
    await shop.slack.slash("run migrate", user=USER)
    await shop.slack.submit(view_of(shop.slack), {"parameter.COUNT": "3", "when": "at 2001-01-31T18:00"})
    reply = (await replies(shop))[-1]
    assert "not within the next year" in reply
    assert "at 2001-01-31T18:00" in reply
    assert await started(shop) == []


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


async def test_menu_with_a_search_is_asked_for_what_fits_and_its_choice_is_taken(shop: House) -> None:
    await shop.slack.slash("run pick", user=USER)
    view = view_of(shop.slack)
    kinds = {each.block_id: each.content["type"] for each in elements(view.blocks)}
    assert kinds["parameter.ITEM"] == "external_select"
    await shop.slack.submit(view, {"parameter.ITEM": "item-119", "parameter.SURE": "false"})
    (run,) = await started(shop)
    assert run.parameters == {"SHARE": "0.75", "SURE": "false", "NOTES": "two\nlines", "ITEM": "item-119"}


async def test_mention_that_lacks_something_is_answered_with_a_button_that_opens_the_form(
    shop: House,
) -> None:
    event = {"type": "app_mention", "user": USER, "ts": "5.6", "channel": shop.slack.channels[0].id}
    await shop.tells({**event, "text": "<@U0ERRAND> run migrate NOTE='a b' --ref feature"})
    reply = (await shop.posts())[-1]
    button = reply.place["blocks"][1]["elements"][0]
    assert "`COUNT` is required" in (reply.text or "")
    message = with_button(shop, button["action_id"], button["value"])
    await shop.slack.press(message, "job.run", user=USER)
    values = filled(view_of(shop.slack))
    assert (values["parameter.NOTE"], values["ref"]) == ("a b", "feature")
    await shop.tells({**event, "ts": "7.8", "text": "<@U0ERRAND> run migrate COUNT=x"})
    assert "blocks" not in (await shop.posts())[-1].place


async def test_change_opens_the_form_of_a_run_and_repeats_it_with_what_was_changed(shop: House) -> None:
    await shop.types("run migrate COUNT=3 NOTE=hi --ref feature -- -x")
    await ended(shop, 1)
    message = with_button(shop, "run.change", "1")
    await shop.slack.press(message, "run.change", user=USER)
    view = view_of(shop.slack)
    values = filled(view)
    assert (values["parameter.COUNT"], values["parameter.NOTE"], values["ref"]) == ("3", "hi", "feature")
    assert values["arguments"] == "-x"
    assert "as #1 did" in words(view)
    await shop.slack.submit(view, {"parameter.COUNT": "4"})
    second = (await started(shop))[1]
    assert (second.rerun_of, second.parameters["COUNT"], second.ref) == (1, "4", "feature")
    await ended(shop, 2)
    fresh = with_button(shop, "run.change", "2")
    await shop.slack.press(fresh, "run.change", user=USER)
    await shop.slack.submit(view_of(shop.slack), {"ref": "main", "parameter.NOTE": ""})
    third = (await started(shop))[2]
    assert (third.rerun_of, third.ref, "NOTE" in third.parameters) == (None, "main", False)


async def test_shortcut_asks_which_job_and_in_which_channel(shop: House) -> None:
    slack = shop.slack
    await slack.shortcut("run_job", user=USER)
    view = view_of(slack)
    offered = [each["value"] for each in view.blocks[1]["elements"][0]["options"]]
    assert offered == ["check", "deploy", "migrate", "nightly", "pick", "publish", "wide"]
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


async def test_form_of_nobody_s_is_ignored(shop: House) -> None:
    await shop.slack.slash("run migrate", user=USER)
    view = view_of(shop.slack)
    view.content["private_metadata"] = '{"job": "migrate", "rerun_of": 99}'
    await shop.slack.submit(view, {"parameter.COUNT": "3"})
    view.content["callback_id"], view.open = "other", True
    await shop.slack.submit(view, {"parameter.COUNT": "3"})
    assert await started(shop) == []


def test_form_says_what_the_job_requires_and_holds() -> None:
    about = {"name": "x", "command": "true", "requires": ["checks", {"base": ["main"]}], "lock": "prod"}
    view = forms.run_form(forms.RunForm(Job.model_validate(about), None, None), {"job": "x"})
    said = str(view["blocks"])
    assert "`checks` `base`" in said
    assert "`prod`" in said
    assert "no image" in said
