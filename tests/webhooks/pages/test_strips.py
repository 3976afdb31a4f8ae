"""The last results of a job in a strip."""

import pytest

from bot.store.series import Mark
from webhooks.pages.strips import strip, words


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([], "No run is over yet"),
        (["failed"], "Last run: failed"),
        (["succeeded", "failed", "succeeded"], "Last 3 runs: 2 succeeded, 1 failed"),
        (["what a later version knows", None], "Last 2 runs: 2 error"),
    ],
)
def test_strip_says_in_words_what_it_shows(results: list[str | None], told: str) -> None:
    marks = [Mark(number, result) for number, result in enumerate(results, start=1)]
    assert words(marks) == told
    assert f'aria-label="{told}"' in strip(marks)


def test_results_differ_in_shape_and_the_newest_is_at_the_right() -> None:
    drawn = strip([Mark(1, "failed"), Mark(2, "succeeded")])
    assert '<path class="failed" d="M126 0h5v20h-5z"/>' in drawn
    assert '<path class="succeeded" d="M133 12h5v8h-5z"/>' in drawn
    assert 'width="138"' in drawn
