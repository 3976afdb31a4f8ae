"""What becomes of due moments, as a matter of times alone."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalog.catalog import Job
from bot.catalog.due import EVERY, ON_TIME, RECORDED, Plan, judge, outlook, upcoming
from bot.catalog.timetables import Timetable
from bot.messages import reason
from bot.tables import JobState

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NOON = 1_800_014_400.0


def plan(cron: str = "*/10 * * * *", **values: object) -> Plan:
    timetable = Timetable.model_validate({"cron": cron} | values)
    return Plan(Job(name="nightly", command="true", schedule=timetable), timetable)


def state(**values: Any) -> dict[str, JobState]:
    return {"nightly": JobState(job="nightly", **values)}


def judged(of: Plan, now: float, **values: object) -> list[tuple[float, str | None]]:
    known = state(**({"ticked_to": NOON} | values))
    return [((each.at - NOON) / MINUTE, each.outcome) for each in judge(of, known, now)]


def test_newest_moment_runs_while_it_may_and_the_others_are_missed() -> None:
    assert judged(plan(), NOON + 9 * MINUTE) == []
    assert judged(plan(), NOON + 10 * MINUTE) == [(10, "run")]
    assert judged(plan(), NOON + 30 * MINUTE) == [(10, "missed"), (20, "missed"), (30, "run")]
    assert judged(plan("0 * * * *"), NOON + HOUR + 600) == [(60, "run")]
    assert judged(plan("0 * * * *"), NOON + HOUR + 601) == [(60, "missed")]


def test_nothing_to_catch_up_still_leaves_time_to_restart() -> None:
    assert judged(plan(catch_up="0s"), NOON + 10 * MINUTE + ON_TIME) == [(10, "run")]
    assert judged(plan(catch_up="0s"), NOON + 10 * MINUTE + ON_TIME + 1) == [(10, "missed")]


def test_skipped_moment_alone_is_left_out() -> None:
    found = judged(plan(), NOON + 20 * MINUTE, skip_at=NOON + 20 * MINUTE, skipped_by="octocat")
    assert found == [(10, "run"), (20, "skipped")]


def test_pause_holds_until_its_very_end() -> None:
    until = {"paused": True, "paused_until": NOON + 20 * MINUTE}
    assert judged(plan(), NOON + 20 * MINUTE, **until) == [(10, "paused"), (20, "run")]
    assert judged(plan(), NOON + 20 * MINUTE, paused=True) == [(10, "paused"), (20, "paused")]
    assert judged(plan(paused=True), NOON + 10 * MINUTE) == [(10, "paused")]


def test_reasons_are_told() -> None:
    known = state(ticked_to=NOON, paused=True, paused_by="octocat")
    assert [reason(each.reason or {}) for each in judge(plan(), known, NOON + 10 * MINUTE)] == [
        "Paused by octocat."
    ]
    late = judge(plan("0 * * * *"), state(ticked_to=NOON), NOON + 2 * HOUR - 1)
    assert [reason(each.reason or {}) for each in late] == [
        "Errand was not there in time; it would have been made up for within 10m."
    ]
    late = judge(plan("0 * * * *"), state(ticked_to=NOON), NOON + 2 * HOUR - 1, "GitHub was away")
    assert [reason(each.reason or {}) for each in late] == ["GitHub was away"]


def test_job_of_which_nothing_is_known_is_not_due() -> None:
    assert judge(plan(), state(), NOON) == []


def test_coming_times_leave_out_what_will_not_start() -> None:
    of = plan("0 * * * *")
    hours = [NOON + n * HOUR for n in range(1, 9)]
    assert upcoming(of, {}, NOON, 3) == hours[:3]
    assert upcoming(of, state(skip_at=hours[1]), NOON, 3) == [hours[0], hours[2], hours[3]]
    assert upcoming(of, state(paused=True), NOON, 3) == []
    assert upcoming(plan(paused=True), {}, NOON, 3) == []
    assert upcoming(of, state(paused=True, paused_until=hours[2]), NOON, 2) == hours[2:4]
    assert upcoming(of, state(paused=True, paused_until=hours[2] + 0.5), NOON, 2) == hours[3:5]
    assert upcoming(of, state(paused=True, paused_until=NOON - DAY), NOON, 1) == hours[:1]
    assert upcoming(of, state(ticked_to=hours[0]), NOON, 1) == hours[1:2]


def test_pause_of_all_holds_each_back_and_says_so() -> None:
    of, every = (
        plan("0 * * * *"),
        JobState(job=EVERY, paused=True, paused_by="token:boss", paused_why="disks"),
    )
    known = state(ticked_to=NOON) | {EVERY: every}
    (moment,) = judge(of, known, NOON + HOUR)
    assert moment.outcome == "paused"
    assert reason(moment.reason or {}) == "Paused by boss (API token): all schedules are paused: disks."
    assert upcoming(of, known, NOON, 3) == []
    every.paused_until = NOON + 2 * HOUR
    assert upcoming(of, known, NOON, 1) == [NOON + 2 * HOUR]
    assert outlook(of, known, NOON, 1).paused_why == "all schedules are paused: disks"
    assert outlook(of, known, NOON + 2 * HOUR, 1).pause is None


def test_jitter_is_part_of_the_coming_times_and_of_nothing_else() -> None:
    of = plan("0 * * * *", jitter="10m")
    assert 0 < of.spread < 600
    assert upcoming(of, {}, NOON, 1) == [NOON + of.spread]
    assert judged(of, NOON + HOUR + of.spread - 1) == []
    assert judged(of, NOON + HOUR + of.spread) == [(60, "run")]


def test_outlook_tells_who_holds_back_what() -> None:
    of = plan("0 * * * *", jitter="10m")
    skipping = outlook(of, state(ticked_to=NOON, skip_at=NOON + HOUR, skipped_by="octocat"), NOON, 1)
    assert (skipping.skipped, skipping.skipped_by) == (NOON + HOUR + of.spread, "octocat")
    assert (skipping.paused_by, skipping.upcoming) == (None, [NOON + 2 * HOUR + of.spread])
    until = {"paused": True, "paused_by": "octocat", "paused_until": NOON + 1}
    held, over = outlook(of, state(**until), NOON, 1), outlook(of, state(**until), NOON + 1, 1)
    assert (held.paused_by, held.paused_until) == ("octocat", NOON + 1)
    assert (over.paused_by, over.paused_until) == (None, None)
    defined = outlook(plan(paused=True), state(**until), NOON, 1)
    assert (defined.paused_by, defined.paused_until, defined.upcoming) == ("its definition", None, [])
    assert outlook(of, {}, NOON, 2).paused_by is None


ZONES = ["UTC", "Europe/Helsinki", "America/New_York", "Australia/Lord_Howe"]
CRONS = st.sampled_from(["* * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "0 0 1 * *", "15 3 29 2 *"])


@st.composite
def absences(draw: st.DrawFn) -> tuple[str, float]:
    """A schedule, and seconds in which it is due some hundreds of times at most: all of them are counted."""
    cron = draw(CRONS)
    longest = {"* * * * *": DAY // 2, "*/7 * * * *": 4 * DAY, "0 * * * *": 40 * DAY}.get(cron, 900 * DAY)
    return cron, draw(st.floats(0, longest))


@settings(max_examples=100, deadline=None)
@given(absence=absences(), zone=st.sampled_from(ZONES))
def test_newest_moments_are_those_of_the_whole_time(absence: tuple[str, float], zone: str) -> None:
    cron, away = absence
    of = plan(cron, timezone=zone)
    every = of.schedule.between(NOON, NOON + away, 2_000_000)
    assert of.since(NOON, NOON + away) == every[-RECORDED:]


def test_newest_moments_of_a_year_of_every_minute_are_the_last_that_were() -> None:
    of, now = plan("* * * * *", timezone="Europe/Helsinki"), NOON + 400 * DAY
    assert of.since(NOON, now) == of.schedule.between(now - 3 * HOUR, now, 200)[-RECORDED:]


@settings(max_examples=300, deadline=None)
@given(
    looks=st.lists(st.integers(0, 40 * 60), min_size=1, max_size=12),
    cron=st.sampled_from(["* * * * *", "*/7 * * * *", "0 * * * *"]),
    catch_up=st.sampled_from([0, 60, 600, 3600]),
    skip=st.integers(1, 40),
    until=st.none() | st.integers(0, 7200),
)
def test_however_often_it_is_looked_every_moment_is_decided_once(
    looks: list[int], cron: str, catch_up: int, skip: int, until: int | None
) -> None:
    of, now = plan(cron, catch_up=catch_up), NOON
    known = state(ticked_to=NOON, skip_at=NOON + skip * MINUTE)
    mine = known["nightly"]
    if until is not None:
        mine.paused, mine.paused_until = True, NOON + until
    decided: list[tuple[float, str | None]] = []
    for gap in looks:
        now += gap
        found = judge(of, known, now)
        assert sum(each.outcome == "run" for each in found) <= 1
        for each in found:
            assert each.outcome != "run" or now - each.at <= max(catch_up, ON_TIME)
            assert each.outcome != "paused" or each.at < mine.paused_until  # type: ignore[operator]
            mine.ticked_to = each.at
        decided += [(each.at, each.outcome) for each in found]
    expected = of.schedule.between(NOON, now, 100_000)
    assert [at for at, _ in decided] == (expected if len(expected) <= RECORDED else [at for at, _ in decided])
    assert len(set(decided)) == len(decided)
