"""Slack takes every Home and every list, whatever names, reasons and errors are in them."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages.slack import homes
from bot.messages.slack.elements import MESSAGE_CHARACTERS, size
from bot.messages.slack.jobs import job_list
from bot.messages.slack.overviews import (
    FreezeLine,
    JobLine,
    JobPage,
    LockLine,
    Overview,
    RunLine,
    ScheduleLine,
)
from bot.messages.view import run_view
from demo.blocks import check_blocks, check_view
from tests.bot.messages.rows import NOW, run
from tests.bot.messages.slack.hostile import MARKUP, marked, texts

_moments = st.none() | st.floats(0, 4e9)
_states: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"state": "running", "result": None, "finished_at": None},
        {"state": "waiting", "result": None, "started_at": None, "finished_at": None},
        {"state": "stopping", "result": None, "finished_at": None},
        {"state": "finished", "result": "failed"},
        {"state": "finished", "result": "error"},
    ]
)
_names = st.sampled_from(["a", "job-" + "x" * 96])


@st.composite
def _runs(draw: st.DrawFn) -> RunLine:
    text = draw(texts)
    fields: dict[str, Any] = {"message": text, "waiting_for": text, "reason": text[:300], "actor": text}
    made = run(**fields, **draw(_states))
    page = draw(
        st.sampled_from(["https://e.example/runs/142?signature=x", "https://e.example/" + "x" * 4000])
    )
    return RunLine(run_view(made), page)


_schedules = st.builds(
    ScheduleLine,
    key=_names,
    timetable=texts,
    next_at=_moments,
    paused_by=st.none() | texts,
    paused_until=_moments,
    skipped_at=_moments,
    by_definition=st.booleans(),
)
_jobs = st.builds(
    JobLine,
    name=_names,
    description=texts,
    last=st.none() | _runs(),
    schedule=st.none() | _schedules,
    locked_by=st.none() | texts,
)
_locks = st.builds(LockLine, target=texts, actor=texts, reason=st.none() | texts, until=_moments)
_freezes = st.builds(
    FreezeLine,
    what=texts,
    by=st.none() | texts,
    why=st.none() | texts,
    until=_moments,
    thaw=st.none() | st.just("") | st.integers(1, 3000).map(lambda size: f"--environment {'x' * size}"),
)
_pages = st.builds(
    JobPage,
    lines=st.lists(_jobs, max_size=3).map(lambda some: some * 3 or [JobLine("a", "")]),
    number=st.integers(1, 100),
    pages=st.integers(1, 100),
    total=st.integers(0, 1000),
    unknown=st.integers(0, 2),
)


def _several(strategy: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    """As many as there may be, of a few."""
    return st.lists(strategy, max_size=2).map(lambda some: (some * most)[:most])


_overviews = st.builds(
    Overview,
    jobs=_pages,
    running=_several(_runs(), homes.RUNS),
    more_running=st.integers(0, 1000),
    waiting=_several(_runs(), homes.RUNS),
    more_waiting=st.integers(0, 1000),
    failing=_several(_runs(), homes.FAILING),
    schedules=_several(_schedules, homes.SCHEDULES),
    more_schedules=st.integers(0, 1000),
    locks=_several(_locks, homes.LOCKS),
    more_locks=st.integers(0, 1000),
    freezes=_several(_freezes, homes.LOCKS),
)


@given(_overviews)
def test_slack_takes_every_home(overview: Overview) -> None:
    view = homes.home(overview, page="https://e.example/", now=NOW)
    check_view(view, kinds=["home"])
    assert len(view["blocks"]) < 100, "the end is not cut off"
    assert not any(mark in marked(view).replace("<!date^", "") for mark in MARKUP)


@given(_pages)
def test_slack_takes_every_list(page: JobPage) -> None:
    text, blocks = job_list(page, command="/job")
    check_blocks(blocks)
    assert size(blocks) <= MESSAGE_CHARACTERS
    assert text


@settings(deadline=None)
@given(texts)
def test_list_of_the_longest_jobs_fits(text: str) -> None:
    fields = {
        "waiting_for": text * 20,
        "actor": text,
        "state": "waiting",
        "result": None,
        "finished_at": None,
    }
    last = RunLine(run_view(run(**fields)), "https://e.example/runs/142?signature=" + "x" * 200)
    schedule = ScheduleLine("a", text, NOW, text * 20, NOW, text * 20, NOW)
    line = JobLine("j" * 100, text * 20, last, schedule, text * 20)
    _, blocks = job_list(JobPage([line] * 10, 2, 3, 30, 1), command="/job")
    check_blocks(blocks)
    assert len(json.dumps(blocks, ensure_ascii=False)) <= MESSAGE_CHARACTERS


def test_freeze_that_no_button_can_name_has_none() -> None:
    line, page = FreezeLine("x", "github:b", None, None, "--environment " + "x" * 3000), JobPage()
    for freeze, buttons in ((line, 0), (replace(line, thaw="--lock prod"), 1), (replace(line, thaw=None), 0)):
        view = homes.home(Overview(page, freezes=[freeze]), page="", now=NOW)
        assert str(view["blocks"]).count("freeze.thaw") == buttons


def test_home_at_its_fullest_fits() -> None:
    line = RunLine(run_view(run(state="finished", result="failed")), "https://e.example/runs/1")
    schedule = ScheduleLine("a", "* * * * * UTC", NOW)
    lock = LockLine("a", "github:b", "c", NOW)
    page = JobPage([JobLine("a", "b", line, schedule, "c")] * 10, 2, 3, 30, 1)
    full = Overview(
        page,
        [line] * 10,
        1,
        [line] * 10,
        1,
        [line] * 5,
        [line] * 5,
        schedule,
        [schedule] * 8,
        1,
        [lock] * 5,
        1,
    )
    blocks = homes.home(full, page="https://e.example/", now=NOW)["blocks"]
    assert "e.example" in str(blocks[-1])
    empty = homes.home(Overview(replace(page, total=0, lines=())), page="", now=NOW)
    check_view(empty, kinds=["home"])
