"""What stands in the fields of a job's form, and what is read from them."""

from typing import Any

import pytest

from bot.catalog.catalog import Job
from bot.catalog.parameters import Parameter
from bot.handlers.entries import FormText
from webhooks.pages.run_fields import RunField, form_text, run_fields, strays


def _job(**parameter: Any) -> Job:
    return Job(name="report", command='echo "$@"', parameters={"P": Parameter(**parameter)})


def _field(value: str | None, *, fresh: bool = True, **parameter: Any) -> RunField:
    text = FormText({} if value is None else {"P": value})
    return run_fields(_job(**parameter), None, text, {}, fresh=fresh)[0]


def test_value_that_is_not_taken_any_more_gives_way_to_the_default_and_is_told() -> None:
    field = _field("9", type="integer", maximum=5, default=3, description="How many")
    assert (field.value, field.kind) == ("3", "number")
    assert field.about == "It was 9, which is not taken any more. How many."


def test_what_somebody_typed_stays_in_an_input_that_shows_it() -> None:
    field = _field("nine", fresh=False, type="integer", maximum=5, default=3)
    assert (field.value, field.kind) == ("nine", "line")
    assert _field(None, fresh=False, default="you").value == ""


@pytest.mark.parametrize(
    ("value", "parameter", "unticked"),
    [(None, {"default": True}, "false"), (None, {}, ""), ("true", {}, ""), ("false", {}, "false")],
)
def test_tick_that_is_taken_away_says_no_where_silence_would_say_something_else(
    value: str | None, parameter: dict[str, Any], unticked: str
) -> None:
    assert _field(value, type="boolean", **parameter).unticked == unticked


def test_choice_of_several_lines_comes_back_as_it_was() -> None:
    job = _job(choices=["a\nb", "", "c"])
    options = run_fields(job, None, FormText(), {}, fresh=True)[0].options
    assert [each.text for each in options] == ["a\nb", "(empty)", "c"]
    sent = [form_text(job, {"parameter.P": each.value}).parameters["P"] for each in options]
    assert sent == ["a\nb", "", "c"]
    assert form_text(job, {"parameter.P": ""}).parameters == {}


def test_line_ends_of_browsers_are_those_of_everybody() -> None:
    text = form_text(
        _job(), {"parameter.P": "a\r\nb", "arguments": " x\r\ny ", "ref": " main ", "other": "1"}
    )
    assert text == FormText({"P": "a\nb"}, "main", None, "x\ny")


def test_mistake_without_a_field_is_told_apart() -> None:
    mistakes = {"parameter.P": "one", "parameter.NO": "two"}
    fields = run_fields(_job(), None, FormText(), mistakes, fresh=False)
    assert ([each.mistake for each in fields], strays(fields, mistakes)) == (["one", None], ["two"])
