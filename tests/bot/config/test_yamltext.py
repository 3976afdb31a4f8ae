"""Definitions as YAML: what is written reads back the same, and a change keeps what stands around it."""

from typing import Any

import pytest

from bot.config.document import read
from bot.config.yamltext import with_value, yaml_text

ODD = [
    "no",
    "1e3",
    " lead",
    "trail ",
    "a\n  b \n\n",
    "tab\tx\n y",
    "\u2028",
    "é\n",
    "#x",
    "a: b",
    "'",
    '"\n',
    "- x\n",
    "%\n",
]


@pytest.mark.parametrize("text", ODD)
def test_texts_read_back_as_they_were(text: str) -> None:
    definition: Any = {"command": [text, text], "env": {text.strip(): text}, "files": {"/a": text * 2}}
    assert read(yaml_text(definition).encode()).data == definition


def test_texts_of_several_lines_are_written_as_such() -> None:
    definition: Any = {"command": "set -e\necho\n", "env": {"A": "\t\n"}, "on": ["push"], "keep": 5}
    assert yaml_text(definition) == (
        'command: |\n  set -e\n  echo\nenv:\n  A: "\\t\\n"\non:\n  - push\nkeep: 5\n'
    )
    assert yaml_text({}) == ""


def test_change_keeps_comments_and_order() -> None:
    text = "# top\ncommand: x # why\nschedule:\n  cron: '@daily'\nkeep: 1\n"
    assert with_value(text, ("schedule", "timezone"), "UTC") == text.replace(
        "'@daily'\n", "'@daily'\n  timezone: UTC\n"
    )
    assert with_value(text, ("schedule", "cron"), None) == "# top\ncommand: x # why\nkeep: 1\n"
    assert with_value(text, ("image",), None) == text
    assert with_value("", ("command",), "a\nb") == "command: |-\n  a\n  b\n"
    assert with_value("command: x\n", ("command",), None) == ""


@pytest.mark.parametrize("text", ODD)
def test_change_writes_any_text(text: str) -> None:
    changed = with_value("a: &one [x]\nb: *one\n", ("command",), text)
    assert read(changed.encode()).data == {"a": ["x"], "b": ["x"], "command": text}
