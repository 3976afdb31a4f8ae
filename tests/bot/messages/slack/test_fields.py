"""Each kind of parameter has the input that fits what it takes."""

from typing import Any

import pytest

from bot.catalog.inputs import choice_value
from bot.catalog.parameters import Parameter
from bot.messages.slack.fields import parameter_input, sent_choice


def block(value: str | None = None, **parameter: Any) -> dict[str, Any]:
    return parameter_input("NAME", Parameter(**parameter), value)


def element(value: str | None = None, **parameter: Any) -> dict[str, Any]:
    made: dict[str, Any] = block(value, **parameter)["element"]
    assert made["action_id"] == "value"
    return made


def test_block_has_name_hint_and_whether_it_is_required() -> None:
    made = block(required=True, description="Who to greet", pattern="[a-z]+")
    assert (made["block_id"], made["label"]["text"], made["optional"]) == ("parameter.NAME", "NAME", False)
    assert made["hint"]["text"] == "Who to greet. Text that matches [a-z]+."
    assert "hint" not in block()


def test_text_is_filled_in_with_its_default_or_with_what_was_given() -> None:
    assert element()["type"] == "plain_text_input"
    assert element(default="you")["initial_value"] == "you"
    assert element("me", default="you")["initial_value"] == "me"


def test_value_that_is_not_allowed_any_more_gives_way_to_the_default() -> None:
    assert element("me", default="you", pattern="y.*")["initial_value"] == "you"
    assert "initial_value" not in element("9", type="integer", maximum=5)


def test_text_has_several_lines_where_its_default_or_pattern_has() -> None:
    assert element(default="a\nb")["multiline"] is True
    assert element(pattern=r"[a-z\n]+")["multiline"] is True
    assert element(pattern="[^/]+")["multiline"] is False
    assert element()["multiline"] is False


def test_choices_are_a_menu_and_with_search_when_there_are_more_than_it_takes() -> None:
    few = element(choices=["staging", "production"], default="staging")
    assert few["type"] == "static_select"
    assert [each["value"] for each in few["options"]] == ["staging", "production"]
    assert few["initial_option"] in few["options"]
    assert len(element(choices=[str(n) for n in range(100)])["options"]) == 100
    many = element(choices=[str(n) for n in range(101)], default="7")
    assert (many["type"], many["min_query_length"]) == ("external_select", 0)
    assert many["initial_option"]["value"] == "7"


def test_choice_that_slack_takes_for_no_value_is_named_by_its_hash() -> None:
    options = element(choices=["", "x" * 151, "y"])["options"]
    assert [len(each["value"]) <= 150 and bool(each["value"]) for each in options] == [True] * 3
    assert [each["value"] for each in options] == [choice_value(each) for each in ("", "x" * 151, "y")]


def test_choice_is_known_by_what_its_menu_calls_it_also_where_slack_escapes_that() -> None:
    choices = ("", "x" * 151, "a & <b>", "&amp;", "sha256:0")
    for choice in choices:
        assert sent_choice(choices, choice_value(choice)) == choice
    assert sent_choice(choices, "a &amp; &lt;b&gt;") == "a & <b>"
    assert sent_choice(choices, "x" * 151) is None
    assert sent_choice(choices, "other") is None


def test_boolean_is_a_checkbox_ticked_by_its_default() -> None:
    ticked = element(type="boolean", default=True)
    assert ticked["type"] == "checkboxes"
    assert ticked["initial_options"] == ticked["options"]
    assert "initial_options" not in element(type="boolean", default=False)
    assert element("yes", type="boolean")["initial_options"]


def test_boolean_that_has_to_be_decided_is_a_menu_of_two() -> None:
    made = element(type="boolean", required=True)
    assert made["type"] == "static_select"
    assert [each["value"] for each in made["options"]] == ["true", "false"]


def test_numbers_are_number_inputs_with_their_bounds() -> None:
    whole = element(type="integer", minimum=1, maximum=10, default=3)
    assert whole == {
        "type": "number_input",
        "action_id": "value",
        "is_decimal_allowed": False,
        "initial_value": "3",
        "min_value": "1",
        "max_value": "10",
    }
    part = element(type="number", minimum=0.5)
    assert (part["is_decimal_allowed"], part["min_value"]) == (True, "0.5")


@pytest.mark.parametrize("default", ["123456789012345678", "1e30"])
def test_number_that_slack_may_not_take_is_text(default: str) -> None:
    made = element(type="number", default=default)
    assert made["type"] == "plain_text_input"
    assert made["initial_value"]


def test_bound_that_slack_may_not_take_is_left_to_the_door() -> None:
    assert "min_value" not in element(type="integer", minimum=0.5)
    assert "max_value" not in element(type="integer", maximum=1e17)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d{4}-\d{2}-\d{2}",
        r"\d{4}-\d\d-\d\d",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
        r"(?P<year>\d+)-(?P<month>\d\d)-(?P<day>\d\d)",
        r"(\d{4}-\d\d-\d\d)?",
    ],
)
def test_pattern_that_takes_days_alone_is_a_date_picker(pattern: str) -> None:
    assert element(pattern=pattern, default="2026-01-31")["initial_date"] == "2026-01-31"


@pytest.mark.parametrize(
    "pattern",
    [
        ".*",
        r"[\w-]{10}",
        r"latest|\d{4}-\d\d-\d\d",
        r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?",
        r"\d{4}-\d\d-\d\d(\.\.\d{4}-\d\d-\d\d)?",
        r"\d{4}-\d\d",
        r"\d{4}-\d{1,2}-\d{1,2}",
        "date",
        None,
    ],
)
def test_pattern_that_takes_more_than_days_or_less_is_no_date_picker(pattern: str | None) -> None:
    assert element(pattern=pattern)["type"] == "plain_text_input"


def test_day_that_is_none_of_the_calendar_is_text() -> None:
    made = element(pattern=r"\d{4}-\d\d-\d\d", default="2026-02-30")
    assert (made["type"], made["initial_value"]) == ("plain_text_input", "2026-02-30")


def test_value_that_is_not_taken_any_more_is_told() -> None:
    said = block("me", default="you", pattern="y.*", description="Who to greet")["hint"]["text"]
    assert said.startswith("It was me, which is not taken any more. Who to greet. Text")
