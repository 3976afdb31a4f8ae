"""What is drawn of the last runs of a job, and what is said of them."""

from pathlib import Path

import pytest

from bot.store.series import EndedRun
from tests.bot.house import house
from tests.webhooks.pages.finished import add_ended
from tests.webhooks.whole import served
from webhooks.pages import charts


def ended(number: int, seconds: float | None, result: str = "succeeded") -> EndedRun:
    begun = None if seconds is None else 100.0
    return EndedRun(number, result, 90.0, begun, 100.0 + (seconds or 0))


def newest_first(*took: float) -> list[EndedRun]:
    return [ended(number, seconds) for number, seconds in enumerate(took, start=1)][::-1]


@pytest.mark.parametrize(("asked", "length"), [(None, 20), ("100", 100), ("7", 20), ("1e9", 20), ("²", 20)])
def test_only_lengths_that_are_offered_are_drawn(asked: str | None, length: int) -> None:
    assert charts.length(asked) == length


def test_nothing_is_drawn_of_nothing() -> None:
    assert charts.chart([], 20) is None


def test_bars_are_oldest_first_and_as_high_as_they_are_long() -> None:
    chart = charts.chart(newest_first(10, 20), 20)
    assert chart is not None
    assert [(bar.number, bar.top, bar.height) for bar in chart.bars] == [(1, 80.0, 80.0), (2, 0.0, 160.0)]
    assert [line.words for line in chart.scale] == ["0s", "10s", "20s"]
    assert chart.bars[1].words == "#2: succeeded after 20s, 1970-01-01 00:01 UTC"


def test_median_and_percentile_are_those_of_what_succeeded() -> None:
    runs = [ended(101, 5000.0, "timed_out"), *newest_first(*range(1, 101))]
    chart = charts.chart(runs, 200)
    assert chart is not None
    assert [line.words for line in chart.lines] == ["95th percentile 1m 35s", "median 50s"]
    assert chart.sentences[0] == "100 of the last 101 runs succeeded (99%)."


def test_outlier_is_cut_so_that_the_others_can_be_told_apart() -> None:
    chart = charts.chart([ended(5, 900.0, "timed_out"), *newest_first(10, 11, 12, 10)], 20)
    assert chart is not None
    assert [bar.cut for bar in chart.bars] == [False, False, False, False, True]
    assert chart.bars[0].height > 60


def test_run_that_never_began_has_no_bar_and_is_still_told() -> None:
    chart = charts.chart([ended(2, None, "error"), ended(1, 0.0)], 20)
    assert chart is not None
    assert [(bar.kind, bar.seconds, bar.height) for bar in chart.bars] == [
        ("succeeded", 0.0, 2.0),
        ("error", None, 0.0),
    ]
    assert [(word, count) for word, _, _, count in chart.counts] == [("succeeded", 1), ("error", 1)]


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([10] * 4 + [20] * 4, "It takes longer than before: 20s after 10s."),
        ([20] * 4 + [10] * 4, "It takes less long than before: 10s after 20s."),
        ([10] * 8, "It takes about as long as before."),
    ],
)
def test_trend_compares_the_halves(runs: list[float], words: str) -> None:
    chart = charts.chart(newest_first(*runs), 20)
    assert chart is not None
    assert chart.sentences[-1] == words


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([10, 10], "One that does takes 10s."),
        ([10, 20, 60], "Of those that did, half took 20s or less, and 95 of 100 1m or less."),
    ],
)
def test_how_long_it_takes_is_said_once(runs: list[float], words: str) -> None:
    chart = charts.chart(newest_first(*runs), 20)
    assert chart is not None
    assert chart.sentences[1] == words


def test_trend_of_results_is_said_and_none_of_durations_without_enough_that_succeeded() -> None:
    bad = [ended(number, 1.0, "failed") for number in (8, 7, 6, 5)]
    chart = charts.chart([*bad, *newest_first(1, 1, 1, 1)], 20)
    assert chart is not None
    assert chart.sentences[-1] == "The newer half succeeds less often: 0% after 100%."


def test_one_run_is_no_trend() -> None:
    chart = charts.chart([ended(1, 3.0, "failed")], 20)
    assert chart is not None
    assert (chart.sentences, chart.lines) == (["The only run so far failed."], [])


async def test_page_of_a_job_draws_as_many_as_it_is_asked_for(tmp_path: Path) -> None:
    async with house(tmp_path) as home, served(home) as client:
        assert '<svg class="plot"' not in (await client.get("/jobs/plain")).text
        await add_ended(home.store, "plain", ["failed", *["succeeded"] * 4] * 12)
        page = (await client.get("/jobs/plain")).text
        assert page.count('data-href="/runs/') == 20
        assert "16 of the last 20 runs succeeded (80%)." in page
        assert " style=" not in page
        assert (await client.get("/jobs/plain?last=50")).text.count('data-href="/runs/') == 50
        assert '<svg class="plot"' not in (await client.get("/jobs/plain?before=40")).text
