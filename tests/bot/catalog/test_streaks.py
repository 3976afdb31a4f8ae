"""What is told of a history of results: every failure is told once or counted, and never both."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bot.catalog.notify import Occasion, in_a_row
from bot.catalog.streaks import NEWEST, OTHER_CAUSE, Announcement, End, Streak, after, decide

WHEN = st.lists(
    st.sampled_from(["failed", "recovered", "succeeded", "started", "failed_2", "failed_3", "failed_7"]),
    unique=True,
)
RESULTS = st.lists(st.sampled_from(["", "exit code 1", "OOMKilled"]), max_size=30)
"""The cause of each failure, "" for a success."""


def ends(causes: Sequence[str], *, has_message: bool = False) -> list[End]:
    """A history; `started` tells of each run before it ends."""
    return [End(at + 1, 60.0 * at, not cause, cause, has_message) for at, cause in enumerate(causes)]


def tell(when: Sequence[str], history: Sequence[End]) -> list[Announcement]:
    """What is told of each end."""
    streak: Streak | None = None
    told = []
    for end in history:
        announcement = decide(when, streak, end)
        streak = announcement.streak if announcement.streak is not None else streak
        told.append(announcement)
    return told


def rows(causes: Sequence[str]) -> list[int]:
    """How many failures in a row there are with each run, 0 for a success."""
    found: list[int] = []
    for cause in causes:
        found.append((found[-1] if found else 0) + 1 if cause else 0)
    return found


@given(WHEN, RESULTS)
def test_failure_is_told_exactly_where_when_says_so(when: list[str], causes: list[str]) -> None:
    least = min([1 if each == "failed" else in_a_row(each) or 10**9 for each in when] or [10**9])
    for announcement, in_row in zip(tell(when, ends(causes)), rows(causes), strict=True):
        if in_row:
            assert announcement.message == (in_row >= least)
            assert announcement.card is None


@given(WHEN, RESULTS)
def test_row_has_one_message_which_counts_all_of_it(when: list[str], causes: list[str]) -> None:
    opened = 0
    for announcement, in_row in zip(tell(when, ends(causes)), rows(causes), strict=True):
        if in_row:
            assert announcement.streak is not None
            assert announcement.streak.count == in_row
            assert len(announcement.streak.runs) == min(in_row, NEWEST)
            opened = announcement.opens + (opened if in_row > 1 else 0)
        assert opened <= 1
        assert opened == 1 or not announcement.message


@given(WHEN, RESULTS)
def test_recovery_is_told_once_for_what_was_told(when: list[str], causes: list[str]) -> None:
    quiet = not any(each == "failed" or in_a_row(each) for each in when)
    history = tell(when, ends(causes))
    least = min([1 if each == "failed" else in_a_row(each) or 10**9 for each in when] or [10**9])
    for at, (announcement, in_row) in enumerate(zip(history, rows(causes), strict=True)):
        if in_row:
            continue
        before = rows(causes)[at - 1] if at else 0
        is_news = "recovered" in when and before > 0 and (quiet or before >= least)
        assert (Occasion.RECOVERED in (announcement.card, *announcement.replies)) == is_news
        if "succeeded" in when:
            assert announcement.card is not None
        elif not is_news:
            assert announcement.card is None


@given(WHEN, RESULTS)
def test_row_that_is_told_is_escalated_and_explained_in_its_thread(
    when: list[str], causes: list[str]
) -> None:
    seen: set[str] = set()
    was_open = False
    for announcement, in_row, cause in zip(tell(when, ends(causes)), rows(causes), causes, strict=True):
        if not in_row:
            seen, was_open = set(), False
            continue
        if was_open and f"failed_{in_row}" in when:
            assert announcement.replies == (f"failed_{in_row}",)
        else:
            assert announcement.replies == ((OTHER_CAUSE,) if was_open and cause not in seen else ())
        seen.add(cause)
        was_open = announcement.streak is not None and announcement.streak.is_open


@given(WHEN, RESULTS)
def test_runs_that_have_messages_get_no_other(when: list[str], causes: list[str]) -> None:
    for announcement in tell(when, ends(causes, has_message=True)):
        assert not announcement.message
        assert announcement.card is None


@given(RESULTS)
def test_history_alone_gives_the_same_row(causes: list[str]) -> None:
    history = ends(causes)
    last = tell(["started"], history)[-1].streak if history else None
    found = after(history)
    expected = last if last is not None and last.ended_by is None else None
    assert (found and found.count) == (expected and expected.count)
