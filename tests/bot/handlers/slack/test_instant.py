"""Mistakes are shown in the form, all at once; menus are asked for what fits; nothing of it is stored."""

import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from bot.catalog.catalog import Catalog, Job
from bot.catalog.images import Image
from bot.handlers.slack.form_origins import FormOrigin
from bot.handlers.slack.instant import InstantAnswers
from bot.messages.slack.forms import RunForm, job_menu, run_form
from bot.registry import Registry

SHOP = Image.model_validate({"name": "shop", "build": {"repository": "acme/shop"}, "push": "r.example/shop"})
PARAMETERS = {
    "COUNT": {"type": "integer", "minimum": 1, "maximum": 10, "required": True},
    "WHERE": {"choices": ["staging", "production"], "default": "staging"},
    "SINCE": {"pattern": r"\d{4}-\d\d-\d\d"},
    "DRY": {"type": "boolean", "default": True},
}


def job(name: str = "deploy", parameters: Mapping[str, Any] = PARAMETERS, **more: Any) -> Job:
    about = {"image": "shop", "command": 'x "$@"', "parameters": parameters}
    return Job.model_validate({"name": name, **about, **more})


def answers(*jobs: Job, images: tuple[Image, ...] = (SHOP,)) -> InstantAnswers:
    catalog = Catalog({each.name: each for each in jobs}, {each.name: each for each in images})
    return InstantAnswers(cast(Registry, SimpleNamespace(catalog=catalog)))


def form(made: Job, **origin: Any) -> dict[str, Any]:
    return run_form(RunForm(made, SHOP, "acme/shop"), FormOrigin(made.name, channel="C1", **origin).metadata)


def submission(view: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What Slack sends; `values` are the states of inputs."""
    state = {block: {"value": entry} for block, entry in values.items()}
    view = {**view, "id": "V1", "state": {"values": state}}
    return {"type": "view_submission", "user": {"id": "U1"}, "trigger_id": "1.2", "view": view}


def typed(text: str | None) -> dict[str, Any]:
    return {"type": "plain_text_input", "value": text}


def chosen(value: str) -> dict[str, Any]:
    return {"type": "static_select", "selected_option": {"value": value}}


def test_what_is_right_is_stored_and_closes_the_form() -> None:
    made = job()
    values = {"parameter.COUNT": typed("3"), "parameter.WHERE": chosen("production"), "ref": typed("main")}
    assert answers(made).of(submission(form(made), values)) is None


def test_form_of_a_changed_job_still_asks_why_a_freeze_is_overridden() -> None:
    made, old = job(), job(parameters={})
    view = run_form(RunForm(old, SHOP, "acme/shop", overridable=True), FormOrigin("deploy").metadata)
    answer = answers(made).of(submission(view, {"override": typed("it is down")}))
    assert answer is not None
    (asked,) = [each for each in answer["view"]["blocks"] if each.get("block_id") == "override"]
    assert asked["element"]["initial_value"] == "it is down"


def test_all_mistakes_are_shown_at_once_each_at_its_field() -> None:
    made = job()
    values = {
        "parameter.COUNT": typed("11"),
        "parameter.WHERE": chosen("moon"),
        "parameter.SINCE": typed("yesterday"),
        "ref": typed("no..ref"),
        "image_tag": typed("v1"),
        "arguments": typed('"open'),
    }
    answer = answers(made).of(submission(form(made), values))
    assert answer is not None
    assert answer["response_action"] == "errors"
    assert set(answer["errors"]) == set(values)
    assert answer["errors"]["parameter.COUNT"] == "Expected an integer from 1 up to 10."
    assert "`" not in "".join(answer["errors"].values())


def test_required_parameter_that_is_empty_is_told_at_its_field() -> None:
    made = job()
    answer = answers(made).of(submission(form(made), {"parameter.COUNT": typed(None)}))
    assert answer is not None
    assert set(answer["errors"]) == {"parameter.COUNT"}


def test_job_that_was_changed_meanwhile_gives_the_new_form_with_what_was_typed() -> None:
    old, new = job(), job(parameters={"COUNT": PARAMETERS["COUNT"], "NEW": {}})
    answer = answers(new).of(submission(form(old, rerun_of=7), {"parameter.COUNT": typed("3")}))
    assert answer is not None
    assert answer["response_action"] == "update"
    view = answer["view"]
    assert "changed" in view["blocks"][0]["text"]["text"]
    inputs = {each["block_id"]: each for each in view["blocks"] if each["type"] == "input"}
    assert inputs["parameter.COUNT"]["element"]["initial_value"] == "3"
    assert "parameter.NEW" in inputs
    assert "parameter.WHERE" not in inputs
    assert FormOrigin.read(view["private_metadata"]) == FormOrigin("deploy", channel="C1", rerun_of=7)
    # The new form is taken.
    assert answers(new).of(submission(view, {"parameter.COUNT": typed("3")})) is None


def test_parameter_that_has_another_kind_of_field_now_gives_the_new_form() -> None:
    old, new = job(parameters={"DRY": {"type": "boolean"}}), job(parameters={"DRY": {}})
    ticked = {"type": "checkboxes", "selected_options": [{"value": "true"}]}
    sent = submission(form(old), {"parameter.DRY": ticked})
    answer = answers(new).of(sent)
    assert answer is not None
    assert answer["response_action"] == "update"
    assert answers(old).of(sent) is None


def test_job_that_was_taken_away_meanwhile_is_told() -> None:
    answer = answers().of(submission(form(job()), {}))
    assert answer is not None
    assert "taken away" in answer["view"]["blocks"][0]["text"]["text"]


def test_menu_is_asked_for_the_choices_that_fit() -> None:
    made = job(parameters={"PICK": {"choices": [f"Item-{n}" for n in range(300)]}})
    sent: dict[str, Any] = {"type": "block_suggestion", "action_id": "value", "block_id": "parameter.PICK"}
    sent |= {"value": "item-29", "view": form(made)}
    answer = answers(made).of(sent)
    assert answer is not None
    assert [each["value"] for each in answer["options"]] == [
        "Item-29",
        *(f"Item-{n}" for n in range(290, 300)),
    ]
    everything = answers(made).of({**sent, "value": ""})
    assert everything is not None
    assert len(everything["options"]) == 100


def test_menu_of_jobs_has_those_of_the_repositories_that_the_person_may_run_things_of() -> None:
    other = Image.model_validate({"name": "site", "build": {"repository": "acme/site"}})
    jobs = [job(f"job-{n}", {}) for n in range(150)] + [job("secret", {}, image="site")]
    view = job_menu(jobs, FormOrigin().for_jobs_of(["Acme/Shop"]).metadata)
    assert view["blocks"][1]["elements"][0]["type"] == "external_select"
    sent = {"type": "block_suggestion", "action_id": "form.job", "block_id": "x", "view": view}
    door = answers(*jobs, images=(SHOP, other))
    found = door.of({**sent, "value": "job-14"})
    assert found is not None
    assert [each["value"] for each in found["options"]] == ["job-14", *(f"job-{n}" for n in range(140, 150))]
    assert door.of({**sent, "value": "secret"}) == {"options": []}


def test_what_cannot_be_read_is_left_to_be_stored() -> None:
    door = answers(job())
    nothing: list[Any] = [
        {},
        {"type": "block_actions"},
        {"type": "view_submission"},
        {"type": "block_suggestion", "view": {"private_metadata": "[]"}},
        {"type": "block_suggestion", "value": 7, "view": None, "action_id": {}},
        submission({**form(job()), "private_metadata": "{"}, {}),
        submission({**form(job()), "callback_id": "other"}, {}),
    ]
    assert [door.of(each) for each in nothing] == [None] * len(nothing)


def test_largest_form_is_answered_in_time() -> None:
    parameters = {f"P{n}": {"pattern": "(a?){200}b|(x+x+)+y"} for n in range(90)}
    made = job(parameters=parameters)
    values = {f"parameter.P{n}": typed("x" * 3000) for n in range(90)}
    door, sent = answers(made), submission(form(made), values)
    door.of(sent)  # which compiles the patterns
    begin = time.thread_time()
    answer = door.of(sent)
    assert answer is not None
    assert len(answer["errors"]) == 90
    assert time.thread_time() - begin < 1.0
