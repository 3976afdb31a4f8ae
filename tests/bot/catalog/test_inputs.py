"""By what a parameter is asked for, and by what a menu names its choices; see also Slack's fields."""

from typing import Any

import pytest

from bot.catalog.inputs import Input, bound, choice_of, choice_value, choices_of, expected, input_of
from bot.catalog.parameters import Parameter


@pytest.mark.parametrize(
    ("parameter", "value", "kind"),
    [
        ({"choices": ["a", "b"]}, None, Input.MENU),
        ({"type": "boolean", "required": True}, None, Input.MENU),
        ({"type": "boolean"}, None, Input.TICK),
        ({"type": "integer"}, "3", Input.NUMBER),
        ({"type": "integer"}, "three", Input.LINE),
        ({"type": "number"}, "1e30", Input.LINE),
        ({"pattern": r"\d{4}-\d\d-\d\d"}, "2026-11-30", Input.DAY),
        ({"pattern": r"\d{4}-\d\d-\d\d"}, "2026-13-77", Input.LINE),
        ({}, "a\nb", Input.LINES),
        ({}, None, Input.LINE),
    ],
)
def test_input_fits_what_is_taken_and_what_stands_in_it(
    parameter: dict[str, Any], value: str | None, kind: Input
) -> None:
    assert input_of(Parameter(**parameter), value) is kind


@pytest.mark.parametrize("choice", ["", "x" * 151, "a\nb", "a\r\nb", "plain", "sha256:0", " "])
def test_choice_is_found_by_its_value_which_browsers_leave_as_it_is(choice: str) -> None:
    value = choice_value(choice)
    assert value
    assert "\n" not in value
    assert choice_of(("other", choice), value) == choice
    assert choice_of(("other",), value) is None


def test_what_an_input_shows_by_itself_is_not_said() -> None:
    assert choices_of(Parameter(type="boolean")) == ("true", "false")
    assert expected(Parameter(choices=("a",))) == ""
    assert expected(Parameter(type="integer", minimum=1)) == "an integer from 1"
    assert (bound(0.5, whole=True), bound(1e17, whole=False), bound(2.0, whole=False)) == (None, None, "2")
