"""Whatever a job says and takes, Slack takes its form, and what is filled in comes back as it was."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.catalog.parameters import Parameter
from bot.events.slack import read_form
from bot.handlers.slack.entries import read_entry
from bot.handlers.slack.form_origins import FormOrigin
from bot.messages.slack.forms import (
    PARAMETERS,
    VIEW_CHARACTERS,
    Repetition,
    RunForm,
    TooLarge,
    job_menu,
    notice,
    run_form,
    waiting,
)
from demo.blocks import check_view
from demo.slack.inputs import initial_values, mistakes
from tests.bot.messages.slack.hostile import MARKUP, marked, texts

SHOP = Image.model_validate({"name": "shop", "build": {"repository": "acme/shop"}, "push": "r.example/shop"})
taken = texts.filter(lambda text: "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text))
"""What a parameter may have for a value, but for its length."""
values = taken.map(lambda text: text[:1000])


def _made(about: dict[str, Any]) -> Parameter:
    return Parameter.model_validate({name: each for name, each in about.items() if each is not None})


@st.composite
def parameters(draw: st.DrawFn) -> Parameter:
    kind = draw(st.sampled_from(["text", "choices", "boolean", "integer", "number", "day"]))
    required = draw(st.booleans())
    about: dict[str, Any] = {"description": draw(texts), "required": required}
    default: Any = None
    if kind == "text":
        default = draw(values)
    elif kind == "choices":
        about["choices"] = draw(st.lists(values, min_size=1, max_size=130, unique=True))
        default = about["choices"][-1]
    elif kind == "day":
        about["pattern"] = r"\d{4}-\d\d-\d\d"
        default = draw(st.sampled_from(["2026-01-31", "2026-02-30", "0000-00-00"]))
    elif kind == "boolean":
        about["type"], default = kind, draw(st.booleans())
    else:
        low, high = sorted([draw(st.integers(-(10**17), 10**17)), draw(st.integers(-(10**17), 10**17))])
        about |= {"type": kind, "minimum": low, "maximum": high}
        default = (low + high) // 2
        if not _fits(about, default):
            default = None
    return _made(about | {"default": None if required else default})


def _fits(about: dict[str, Any], value: object) -> bool:
    try:
        Parameter.model_validate(about).accept(str(value))
    except ValueError:
        return False
    return True


def job(named: dict[str, Parameter], **about: Any) -> Job:
    parts = {"name": "x" * 40, "image": "shop", "command": 'x "$@"', "parameters": named}
    return Job.model_validate({**parts, **about})


@given(
    each=st.lists(parameters(), max_size=6),
    text=texts,
    url=st.text("abc/", max_size=990).map("https://hooks.slack.com/".__add__),
)
@settings(max_examples=60, deadline=None)
def test_form_is_taken_and_what_it_was_filled_in_with_comes_back(
    each: list[Parameter], text: str, url: str
) -> None:
    made = job({f"P{n}": parameter for n, parameter in enumerate(each)}, description=text)
    origin = FormOrigin("x" * 40, "C1", text[:100], "1.2", url, 1.0, 7)
    repeated = Repetition(7, "a" * 40, text)
    form = RunForm(made, SHOP, "acme/shop", notice=text, repeated=repeated)
    form = replace(form, overridable=True, override=text, start=text)
    view = run_form(form, origin.metadata)
    check_view(view, kinds=["modal"])
    assert not any(markup in marked(view) for markup in MARKUP)
    assert FormOrigin.read(view["private_metadata"]).rerun_of == 7
    state = initial_values(view["blocks"])
    missing = {f"parameter.P{n}" for n, parameter in enumerate(each) if parameter.required}
    wrong = mistakes(view["blocks"], state)
    assert {block for block in wrong if block in missing} == set(wrong)
    sent = {"user": {"id": "U1"}, "view": {**view, "id": "V1", "state": {"values": state}}}
    entry = read_entry(made, SHOP, read_form(sent).values)
    assert set(entry.mistakes) <= missing | {"override"}
    for n, parameter in enumerate(each):
        given_value = entry.request.parameters.get(f"P{n}", parameter.default)
        assert given_value == parameter.default or parameter.default is None


@given(
    each=parameters(),
    sent=st.one_of(st.none(), texts, st.lists(texts, max_size=3).map(tuple)),
    others=st.dictionaries(
        st.sampled_from(["ref", "image_tag", "arguments", "channel", "override", "when"]),
        st.one_of(st.none(), texts, st.just(())),
    ),
)
@settings(max_examples=100, deadline=None)
def test_whatever_comes_back_is_taken_or_told_at_its_field(
    each: Parameter, sent: Any, others: dict[str, Any]
) -> None:
    entry = read_entry(job({"P": each}), SHOP, {"parameter.P": sent, **others})
    assert all(0 < len(what) <= 250 for what in entry.mistakes.values())
    value = entry.request.parameters.get("P")
    assert value is None or "parameter.P" in entry.mistakes or each.accept(value) is not None


@given(names=st.lists(st.text("abcdef", min_size=1, max_size=8), max_size=130, unique=True), text=texts)
@settings(max_examples=30, deadline=None)
def test_menu_of_jobs_and_notices_are_taken(names: list[str], text: str) -> None:
    jobs = [job({}, name=name, description=text) for name in names]
    if jobs:
        origin = FormOrigin().for_jobs_of([f"acme/{n}" for n in range(500)])
        check_view(job_menu(jobs, origin.metadata, note=text), kinds=["modal"])
    check_view(notice(text), kinds=["modal"])
    check_view(waiting(), kinds=["modal"])


def test_form_that_would_be_too_large_asks_for_the_options_of_its_menus() -> None:
    choices = [f"{n:03}{'x' * 140}" for n in range(100)]
    made = job({f"P{n}": _made({"choices": choices, "description": "d" * 2000}) for n in range(PARAMETERS)})
    view = run_form(RunForm(made, SHOP, "acme/shop"), {})
    check_view(view, kinds=["modal"])
    assert len(json.dumps(view)) <= VIEW_CHARACTERS
    kinds = {each["element"]["type"] for each in view["blocks"] if each["type"] == "input"}
    assert "external_select" in kinds
    assert "static_select" not in kinds


def test_largest_form_has_all_its_fields_and_says_as_much_as_fits() -> None:
    made = job({f"P{n}": _made({}) for n in range(PARAMETERS)}, arguments=True)
    full = RunForm(
        made,
        SHOP,
        "acme/shop",
        conditions=["x"] * 20,
        asks_channel=True,
        overridable=True,
        notice="changed",
    )
    view = run_form(full, {})
    check_view(view, kinds=["modal"])
    inputs = [each["block_id"] for each in view["blocks"] if each["type"] == "input"]
    assert len(inputs) == PARAMETERS + 6
    assert inputs[-1] == "channel"


def test_form_says_what_the_job_will_run_on() -> None:
    made, tools = job({}), Image.model_validate({"name": "tools", "reference": "r.example/tools:1"})
    plain = str(run_form(RunForm(made, SHOP, "acme/shop"), {})["blocks"])
    assert "newest commit of its default branch" in plain
    moved = str(run_form(RunForm(made, SHOP, "acme/shop", standing="v7"), {})["blocks"])
    assert "`v7`" in moved
    assert "newest commit" not in moved
    assert "r.example/tools:1" in str(run_form(RunForm(made, tools, None), {})["blocks"])
    repeated = RunForm(made, SHOP, "acme/shop", repeated=Repetition(7, "a" * 40, "main"))
    assert "commit `aaaaaaaaaaaa` (`main`) as #7 did" in str(run_form(repeated, {})["blocks"])


def test_what_no_form_takes_says_why() -> None:
    many = job({f"P{n}": _made({}) for n in range(PARAMETERS + 1)})
    long = job({f"P{n}": _made({"default": "ü" * 1500}) for n in range(PARAMETERS)})
    for made, words in ((many, "91 parameters"), (long, "length")):
        with pytest.raises(TooLarge, match=words):
            run_form(RunForm(made, SHOP, "acme/shop"), {})
    with pytest.raises(TooLarge, match="P0 is longer"):
        run_form(RunForm(job({"P0": _made({})}), SHOP, "acme/shop", {"P0": "x" * 3001}), {})


def test_address_for_answers_lasts_half_an_hour() -> None:
    origin = FormOrigin("x", "C1", response_url="https://hooks.slack.com/x", opened=100.0)
    young, old = origin.spot(None, None, now=200.0), origin.spot(None, None, now=2000.0)
    assert young is not None
    assert old is not None
    assert (young.response_url, old.response_url) == ("https://hooks.slack.com/x", None)
    chosen = FormOrigin("x").spot("C2", "https://hooks.slack.com/y", now=0.0)
    assert chosen is not None
    assert (chosen.channel, chosen.response_url) == ("C2", "https://hooks.slack.com/y")
    assert FormOrigin("x").spot(None, None, now=0.0) is None
