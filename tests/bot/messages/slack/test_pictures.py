"""What Slack draws keeps Slack's limits, and the text says the same."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import messages
from bot.messages.slack import elements
from bot.store.series import EndedRun
from demo.blocks import check_blocks
from tests.bot.messages.rows import NOW, run
from tests.bot.messages.slack.hostile import texts

LINK = "https://errand.example.com/runs/142"


def rows(count: int, step: float = 10.0) -> list[EndedRun]:
    """So many that took longer and longer, newest first."""
    made = [EndedRun(n, "succeeded", NOW, NOW, NOW + step * n) for n in range(1, count + 1)]
    return made[::-1]


def test_durations_are_a_chart_with_a_series_a_result_and_bars_in_the_text() -> None:
    some = rows(4)
    some[1] = some[1]._replace(result="failed")
    reply = messages.durations(run(), some, LINK)
    assert isinstance(reply, messages.Illustrated)
    assert "The last 4 runs: 3 succeeded, 1 failed; one takes about 20s." in reply
    assert "- ❌ #\u200b3 ▰▰▰▰▰▰▰▰▱▱ 30s" in reply
    chart = reply.blocks[-1]["chart"]
    assert chart["axis_config"] == {"categories": ["#1", "#2", "#3", "#4"], "y_label": "seconds"}
    assert {each["name"]: [point["value"] for point in each["data"]] for each in chart["series"]} == {
        "succeeded": [10.0, 20.0, 0.0, 40.0],
        "failed": [0.0, 0.0, 30.0, 0.0],
    }
    check_blocks(list(reply.blocks))


def test_long_runs_are_drawn_in_a_unit_that_reads_well() -> None:
    reply = messages.durations(run(), rows(3, 3600), LINK)
    assert isinstance(reply, messages.Illustrated)
    assert reply.blocks[-1]["chart"]["axis_config"]["y_label"] == "hours"


@pytest.mark.parametrize("count", [0, 1])
def test_a_single_run_is_worth_no_picture(count: int) -> None:
    latest = run(state="running", result=None)
    never = EndedRun(9, "error", NOW, None, NOW)
    reply = messages.durations(latest, [never, *rows(count)], LINK)
    assert not isinstance(reply, messages.Illustrated)
    assert "migrate" in reply


@dataclass
class Described:
    """A job as far as a table cares."""

    description: str | None = None
    starters: tuple[str, ...] = ()
    parameters: dict[str, object] = field(default_factory=dict)


def test_jobs_are_a_table_that_sorts_and_pages_of_text_beyond_it() -> None:
    jobs = {"migrate": Described("Apply all", ("push",), {"A": 1}), "backup": Described()}
    reply = messages.job_table(jobs, "/job", 1)
    assert isinstance(reply, messages.Illustrated)
    assert reply == messages.listing(jobs)
    table = reply.blocks[-1]
    assert [[cell["text"] for cell in row] for row in table["rows"]] == [
        ["Job", "What it does", "Starts by itself with", "Parameters"],
        ["backup", "–", "–", "0"],
        ["migrate", "Apply all", "push", "1"],
    ]
    check_blocks(list(reply.blocks))
    many = {f"j{number}": Described() for number in range(150)}
    assert not isinstance(messages.job_table(many, "/job", 1), messages.Illustrated)
    assert not isinstance(messages.job_table(jobs, "/job", 2), messages.Illustrated)
    assert not isinstance(messages.job_table({}, "/job", 1), messages.Illustrated)


@given(text=texts, count=st.integers(1, 100))
@settings(max_examples=40, deadline=None)
def test_pictures_of_whatever_comes_are_taken(text: str, count: int) -> None:
    some, latest = rows(min(count + 1, 30)), run(job=text, actor=f"github:{text}")
    jobs = {f"{text[:50]}{number}": Described(text, (text,)) for number in range(count)}
    for reply in (messages.durations(latest, some, LINK), messages.job_table(jobs, "/job", 1)):
        blocks = list(reply.blocks) if isinstance(reply, messages.Illustrated) else []
        check_blocks(blocks)
        assert elements.size(blocks) <= elements.MESSAGE_CHARACTERS
        json.dumps(blocks, ensure_ascii=False).encode()
