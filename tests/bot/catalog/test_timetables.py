"""One schedule or several: names, what they give, and what is wrong told in its place."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.catalog.catalog import Job
from bot.catalog.due import Plan, judge, plans_of, upcoming
from bot.config import load
from bot.config.findings import Invalid
from bot.tables import JobState

REGION = {"REGION": {"choices": ["eu", "us"], "default": "eu"}}


def _job(schedule: Any, **keys: Any) -> Job:
    return Job.model_validate({"name": "report", "command": "true", "schedule": schedule, **keys})


def test_schedule_alone_is_called_like_its_job() -> None:
    assert [plan.key for plan in plans_of(_job({"cron": "@daily"}))] == ["report"]
    assert [plan.key for plan in plans_of(_job([{"cron": "@daily"}]))] == ["report"]
    assert plans_of(_job(None)) == []


def test_several_are_called_by_their_names() -> None:
    job = _job([{"name": "eu", "cron": "@daily"}, {"name": "us", "cron": "@daily"}])
    assert [plan.key for plan in plans_of(job)] == ["report/eu", "report/us"]
    assert Job.frozen(job.model_dump(mode="json")) == job


@pytest.mark.parametrize(
    ("schedule", "what"),
    [
        ('[{cron: "@daily"}, {name: eu, cron: "@daily"}]', "5:15: jobs.report.schedule: expected a name"),
        (
            '[{name: eu, cron: "@daily"}, {name: eu, cron: "@daily"}]',
            "5:15: jobs.report.schedule: two schedules are called eu",
        ),
        (
            '[{name: eu, cron: "@daily"}, {name: us, cron: "@never"}]',
            "5:61: jobs.report.schedule[2].cron",
        ),
        ('[{name: EU, cron: "@daily"}]', "5:23: jobs.report.schedule[1].name: expected a name of small"),
        ('[{name: eu, corn: "@daily"}]', "unknown key; did you mean cron?"),
        ('{corn: "@daily"}', "5:16: jobs.report.schedule.corn: unknown key; did you mean cron?"),
        ("[]", "expected at least one schedule"),
        ('{cron: "@daily", parameters: {REGOIN: us}}', "Did you mean `REGION`?"),
        ('{cron: "@daily", parameters: {REGION: asia}}', "jobs.report.schedule: `REGION`: expected"),
        ('{cron: "@daily", parameters: {REGION: "${HOME}"}}', "is not replaced in parameters"),
    ],
)
def test_mistake_is_told_where_it_is(tmp_path: Path, schedule: str, what: str) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(
        "jobs:\n  report:\n    command: ./report\n"
        f"    parameters: {{REGION: {{choices: [eu, us], default: eu}}}}\n    schedule: {schedule}\n"
    )
    with pytest.raises(Invalid) as refused:
        load(file, {"HOME": "us"})
    assert what in str(refused.value)


@pytest.mark.parametrize(
    ("schedule", "what"),
    [
        ('[{name: eu, cron: "@daily"}]', "REGION is required, and this schedule does not give it"),
        ('{cron: "@daily"}', "give it a default"),
        ('{cron: "@daily", parameters: {REGION: us}}', None),
    ],
)
def test_required_parameter_is_given_by_each(tmp_path: Path, schedule: str, what: str | None) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(
        "jobs:\n  report:\n    command: ./report\n"
        f"    parameters: {{REGION: {{required: true}}}}\n    schedule: {schedule}\n"
    )
    if what is None:
        assert load(file, {}).jobs["report"].schedules[0].parameters == {"REGION": "us"}
        return
    with pytest.raises(Invalid, match=what):
        load(file, {})


def test_when_leaves_out_what_it_does_not_hold_of() -> None:
    job = _job({"cron": "0 9 * * *", "timezone": "Europe/Berlin", "when": 'weekday == "FRI" && nth == 2'})
    (plan,) = plans_of(job)
    start = 1767222000.0  # 2026-01-01 in Berlin
    found = upcoming(plan, {}, start, 4)
    days = [datetime.fromtimestamp(at, ZoneInfo("Europe/Berlin")).strftime("%m-%d %H:%M") for at in found]
    assert days == ["01-09 09:00", "02-13 09:00", "03-13 09:00", "04-10 09:00"]
    outcomes = {
        each.outcome for each in judge(plan, {"report": JobState(job="report", ticked_to=start)}, found[0])
    }
    assert outcomes == {None, "run"}


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("wekday == 'FRI'", "wekday"),
        ("day ==", "expected a condition in CEL"),
        ("day + 1", "expected a condition that is true or false"),
        ("[1, 2].all(x, x > 0)", "all"),
    ],
)
def test_when_that_is_no_condition_is_refused(when: str, what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        _job({"cron": "@daily", "when": when})


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Nuuk"]
)
CRONS = st.sampled_from(
    ["30 2 * * *", "*/30 * * * *", "0 */2 * * *", "*/15 2 * * *", "45 1 * * SUN", "0 0 1 * *", "15 3 29 3 *"]
)
CHANGES = st.sampled_from([1774746000.0, 1772953200.0, 1792890000.0, 1793512800.0, 1775318400.0])
"""Around which clocks change in 2026: Berlin, New York, Berlin, New York, Lord Howe."""


@given(
    st.lists(st.tuples(CRONS, ZONES), min_size=2, max_size=5),
    CHANGES,
    st.lists(st.floats(60, 20_000), min_size=1, max_size=12),
)
def test_each_of_several_is_decided_by_itself_across_clock_changes(
    several: list[tuple[str, str]], change: float, steps: list[float]
) -> None:
    """Whenever it is looked: each moment of each schedule comes once, as if it were the only one."""
    job = _job(
        [
            {"name": f"s{n}", "cron": cron, "timezone": zone, "catch_up": "7d"}
            for n, (cron, zone) in enumerate(several)
        ]
    )
    start = change - 40_000
    states = {plan.key: JobState(job=plan.key, ticked_to=start) for plan in plans_of(job)}
    found: dict[str, list[float]] = {key: [] for key in states}
    now = start
    for step in steps:
        now += step
        for plan in plans_of(job):
            for moment in judge(plan, states, now):
                found[plan.key].append(moment.at)
                states[plan.key].ticked_to = moment.at
    for plan in plans_of(job):
        alone = Plan(job, plan.timetable)
        assert found[plan.key] == alone.schedule.between(start, now, 10_000)
        coming = upcoming(plan, states, now, 3)
        assert all(at > now for at in coming)
        assert coming == sorted(set(coming))
