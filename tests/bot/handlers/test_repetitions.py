"""What the form of a run stands for: `rerun` with what was changed, else a run of today's definition."""

from typing import Any

import pytest

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.commands import parser
from bot.handlers.repetitions import ref_of, repetition, tag_of
from bot.handlers.slack.forms import command_line
from bot.handlers.start import StartRequest
from bot.tables import Run

SHOP = Image.model_validate({"name": "shop", "build": {"repository": "acme/shop"}, "push": "r.example/shop"})
SHA = "a" * 40
PARAMETERS = {
    "COUNT": {"type": "integer", "required": True},
    "NOTE": {},
    "DRY": {"type": "boolean", "default": True},
}
VALUES = {"COUNT": "3", "NOTE": "hi", "DRY": "true"}


def job(**more: Any) -> Job:
    about = {"name": "deploy", "image": "shop", "command": ["run"], "arguments": True}
    return Job.model_validate({**about, "parameters": {**PARAMETERS, **more}})


def ran(**more: Any) -> Run:
    about: dict[str, Any] = {
        "key": "k",
        "name": "",
        "job": "deploy",
        "definition": job().model_dump(mode="json"),
        "parameters": VALUES,
        "arguments": ["-x"],
        "ref": "main",
        "commit": SHA,
    }
    about |= {"repository": "acme/shop", "cause": "slack", "actor": "slack:octocat", "created_at": 1.0}
    return Run(number=7, **{**about, **more})


def meaning(old: Run, made: Job | None = None, **request: Any) -> parser.Command:
    about: dict[str, Any] = {"parameters": VALUES, "arguments": ("-x",), "ref": "main"}
    return repetition(made or job(), old, StartRequest(**{**about, **request}), tag_of(old, SHOP))


def test_what_was_changed_is_changed_and_nothing_else() -> None:
    assert meaning(ran()) == parser.Rerun(7, None, {})
    assert meaning(ran(), ref=None) == parser.Rerun(7, None, {})
    changed = meaning(ran(), parameters={**VALUES, "COUNT": "04", "DRY": "false"})
    assert changed == parser.Rerun(7, None, {"COUNT": "4", "DRY": "false"})


def test_default_that_was_emptied_counts_again() -> None:
    old = ran(parameters={**VALUES, "DRY": "false"})
    assert meaning(old, parameters={"COUNT": "3", "NOTE": "hi"}) == parser.Rerun(7, None, {"DRY": "true"})


def test_another_commit_is_a_run_of_today() -> None:
    assert meaning(ran(), ref="feature") == parser.Run("deploy", VALUES, "feature", None, ("-x",))
    assert meaning(ran(), ref=None, image_tag="v1") == parser.Run("deploy", VALUES, None, "v1", ("-x",))


def test_what_rerun_cannot_say_is_a_run_of_today_on_the_commit_of_then() -> None:
    emptied = {"COUNT": "3", "DRY": "true"}
    assert meaning(ran(), parameters=emptied) == parser.Run("deploy", emptied, SHA, None, ("-x",))
    assert meaning(ran(), arguments=()) == parser.Run("deploy", VALUES, SHA, None, ())
    new = {**VALUES, "NEW": "1"}
    assert meaning(ran(), job(NEW={}), parameters=new) == parser.Run("deploy", new, SHA, None, ("-x",))
    # One that is new and has its default is not asked for.
    assert meaning(ran(), job(NEW={})) == parser.Rerun(7, None, {})


def test_parameter_that_is_gone_stays_as_it_was() -> None:
    old = ran(parameters={**VALUES, "GONE": "x"})
    assert meaning(old) == parser.Rerun(7, None, {})


def test_run_of_a_tag_stays_at_its_tag() -> None:
    tagged = {"name": "shop", "reference": "r.example/shop:v1"}
    old = ran(ref=None, commit=None, image_definition=tagged)
    assert (ref_of(old), tag_of(old, SHOP)) == (None, "v1")
    assert meaning(old, ref=None, image_tag="v1") == parser.Rerun(7, None, {})
    emptied = {"COUNT": "3", "DRY": "true"}
    again = meaning(old, ref=None, image_tag="v1", parameters=emptied)
    assert again == parser.Run("deploy", emptied, None, "v1", ("-x",))


@pytest.mark.parametrize("reference", ["r.example/other:v1", "r.example/shop@sha256:" + "a" * 64])
def test_image_that_is_no_tag_of_the_jobs_is_not_filled_in(reference: str) -> None:
    assert tag_of(ran(image_definition={"name": "shop", "reference": reference}), SHOP) is None


def test_fork_cannot_be_typed() -> None:
    assert ref_of(ran(ref="a fork:topic")) is None


def test_command_says_the_same_as_the_form() -> None:
    request = StartRequest({"NOTE": "it's", "TEXT": "a\nb"}, ("-x", "a b"), "main")
    line = command_line("/job", "deploy", request)
    assert parser.parse(line) == parser.Run(
        "deploy", {"NOTE": "it's", "TEXT": "..."}, "main", None, ("-x", "a b")
    )
