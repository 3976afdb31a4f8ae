"""Every block and element keeps Slack's limits, whatever is put into it."""

import json

import pytest
from hypothesis import given, settings

from bot.messages import mrkdwn
from bot.messages.slack import Action, elements
from bot.messages.slack.elements import Block
from demo.blocks import check_blocks
from tests.bot.messages.slack.hostile import MARKUP, texts


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_a_message_of_every_block_is_taken(text: str) -> None:
    ask = elements.confirm(text, text, yes=text, no=text, style="danger")
    pressed = elements.button(text, Action.RUN_CANCEL, "7", style="danger", confirm=ask)
    shown = mrkdwn.fitted(text, 50_000)
    blocks = [
        elements.header(text),
        elements.section(shown, accessory=pressed),
        elements.fields(*([shown] * 12)),
        elements.context(*([shown] * 12)),
        elements.divider(),
        elements.actions(*({**pressed, "action_id": f"run.{n}"} for n in range(30))),
        elements.preformatted([text] * 5, limit=10_000),
    ]
    check_blocks(blocks)
    sent = json.dumps(blocks, ensure_ascii=False)
    sent.encode()  # no half characters
    assert "\\u0000" not in sent
    assert not any(each in _markup(blocks) for each in MARKUP)


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_a_form_keeps_its_limits(text: str) -> None:
    choices = [elements.option(text, str(n), description=text) for n in range(3)]
    inputs = [
        elements.static_select("value", choices, initial=choices[0], placeholder=text),
        elements.multi_static_select("value", choices, initial=choices[:1], most=2, placeholder=text),
        elements.external_select("value", characters=1, placeholder=text),
        elements.checkboxes("value", choices, initial=choices[:2]),
        elements.number_input("value", initial=text, least="1", most="5"),
        elements.date_picker("value", initial=text, placeholder=text),
        elements.text_input("value", initial=text, multiline=True, placeholder=text),
    ]
    blocks = [
        elements.input_block(text, each, block_id=f"parameter.{n}", hint=text, optional=True)
        for n, each in enumerate(inputs)
    ]
    view = elements.modal(
        text, blocks * 20, callback_id="run", submit=text, close=text, metadata={"job": "x"}
    )
    assert len(view["title"]["text"]) <= 24
    assert len(view["blocks"]) == elements.VIEW_BLOCKS
    assert len(inputs[-1].get("initial_value", "")) <= 3000
    assert "null" not in json.dumps(view)
    json.dumps(view, ensure_ascii=False).encode()


@pytest.mark.parametrize("length", [150, 151])
def test_what_cannot_be_cut_is_refused(length: int) -> None:
    if length == 150:
        elements.option("x", "v" * length)
        return
    with pytest.raises(ValueError, match="150"):
        elements.option("x", "v" * length)


def test_too_many_or_no_options_are_refused() -> None:
    choice = elements.option("x", "x")
    for count in (0, 101):
        with pytest.raises(ValueError, match="1 to 100 options"):
            elements.static_select("value", [choice] * count)
    with pytest.raises(ValueError, match="1 to 10 options"):
        elements.checkboxes("value", [choice] * 11)


def test_only_addresses_of_the_web_are_opened_by_a_button() -> None:
    assert elements.address("https://errand.test/runs/7") == "https://errand.test/runs/7"
    for bad in (None, "", "javascript:alert(1)", "https://" + "x" * 3000):
        assert elements.address(bad) is None


def test_a_cut_ends_within_no_link_and_no_escape() -> None:
    assert mrkdwn.cut("see <https://errand.test/runs/7|#7>", 20) == "see …"
    assert mrkdwn.cut("a &amp; b", 5) == "a …"
    assert mrkdwn.cut("<@U012AB3CD> asks", 14) == "<@U012AB3CD> …"
    assert mrkdwn.cut("short", 5) == "short"


def test_a_mention_is_of_an_id_alone() -> None:
    assert mrkdwn.mention("U012AB3CD") == "<@U012AB3CD>"
    assert mrkdwn.mention("octocat") is None
    assert mrkdwn.mention("U1>|<!channel") is None


def test_a_moment_is_told_in_the_readers_zone() -> None:
    assert mrkdwn.date(0.5) == "<!date^0^{date_short_pretty} {time}|1970-01-01 00:00 UTC>"


def _markup(found: object) -> str:
    """All texts with markup."""
    if isinstance(found, dict):
        if found.get("type") == "mrkdwn":
            return str(found["text"])
        return " ".join(_markup(each) for each in found.values())
    return " ".join(_markup(each) for each in found) if isinstance(found, list) else ""


def test_texts_with_markup_are_all_looked_at() -> None:
    block: Block = elements.context("<!channel>")
    assert "<!channel>" in _markup([block])
