"""The same verbs everywhere: what a chat can do, the API and the command line can do as well."""

from typing import Any

import pytest
from typer.main import get_command

from bot.commands.grammar import VERBS, Verb
from terminal.app import cli
from webhooks.api.operations import OPERATIONS

COMMANDS: dict[str, Any] = dict(getattr(get_command(cli), "commands", {}))
FIELDS = {"image": "image_tag", "page": "before"}
"""How a flag is called in a body, where that is not its own name."""

verbs = pytest.mark.parametrize("verb", [VERBS[name] for name in sorted(VERBS)], ids=lambda verb: verb.name)


def test_every_verb_of_a_chat_has_a_route_and_no_route_has_another() -> None:
    assert {row.verb for row in OPERATIONS if row.verb is not None} == set(VERBS)


@verbs
def test_verb_is_a_command_of_the_command_line_with_its_options(verb: Verb) -> None:
    options = {option for each in COMMANDS[verb.name].params for option in each.opts}
    assert {f"--{flag.name}" for flag in verb.flags} <= options


@verbs
def test_route_of_a_verb_takes_what_the_verb_takes(verb: Verb) -> None:
    rows = [row for row in OPERATIONS if row.verb == verb.name]
    fields = {
        name
        for row in rows
        for name in [*(row.body.model_fields if row.body else ()), *(each.name for each in row.query)]
    }
    expected = {FIELDS.get(flag.name, flag.name) for flag in verb.flags if not flag.instead}
    assert len(rows) > sum(flag.instead for flag in verb.flags)  # what stands for the subject has a route
    expected |= {"parameters"} if verb.assignments else set()
    expected |= {"arguments"} if verb.arguments else set()
    assert expected <= fields
