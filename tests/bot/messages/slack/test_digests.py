"""Messages that tell of several things keep Slack's limits, and show nothing from outside as markup."""

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot import messages
from bot.catalog.streaks import OTHER_CAUSE, Streak
from bot.messages.slack import digests
from bot.tables import Run
from demo.blocks import check_blocks
from tests.bot.messages.rows import NOW, run
from tests.bot.messages.slack.hostile import texts

LINK = "https://errand.example.com/runs/142?expires=1&signature=abc"
CALLS = "<@U012AB3CD> <!subteam^S012AB3CD>"
_OURS = re.compile(r"<(?:https://errand\.example\.com/[^>|]*\|[^>]*|!date\^\d+\^[^>]*)>")


def line(row: Run, link: str | None = LINK) -> digests.Line:
    return digests.Line(messages.run_view(row), link)


def failed(**fields: Any) -> digests.Line:
    return line(run(**{"result": "failed", "exit_code": 1, **fields}))


def clean(text: str, blocks: list[dict[str, Any]], *, calls: int = 2) -> None:
    """Slack takes it, and what stands in angle brackets is ours."""
    check_blocks(blocks)
    rest = _OURS.sub("", json.dumps(blocks, ensure_ascii=False).replace(CALLS, ""))
    assert "<" not in rest
    assert "<" not in text.replace(CALLS, "")
    assert json.dumps(blocks).count("<@") == (1 if calls else 0)
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 14_000


@settings(max_examples=20)
@given(texts, texts, st.integers(1, 1000), st.integers(0, 5))
def test_row_of_failures_is_within_limits(job: str, why: str, count: int, kept: int) -> None:
    lines = [failed(job=job, number=number, message=why, reason="Error") for number in range(kept)]
    streak = Streak(count, NOW, NOW, tuple(range(kept)), (why,), is_open=True)
    card = messages.blocks(lines[0].view, LINK) if lines else None
    clean(*digests.streak(job, streak, lines, CALLS, card))
    over = Streak(count, NOW, NOW, tuple(range(kept)), (why,), ended_by=9, ended_at=NOW)
    clean(*digests.streak(job, over, lines, CALLS, card), calls=0)


@settings(max_examples=20)
@given(texts, st.integers(1, 200), st.sampled_from([None, "failed", "succeeded", "missed", "new"]))
def test_storm_is_within_limits_and_counts_all(name: str, count: int, result: str | None) -> None:
    state = "running" if result is None else "finished"
    made: dict[str, Any] = {"noun": "run", "name": name, "state": state, "result": result, "count": 1}
    things = digests.ordered({str(at): {**made, "number": at} for at in range(count)})
    lines = {at: failed(job=name, number=at) for at in range(0, count, 2)}
    text, blocks = digests.storm(things, lines, CALLS)
    clean(text, blocks)
    assert f"{count} runs at once: {count} " in text
    if count > digests.LISTED:
        assert f"and {count - digests.LISTED} more" in str(blocks)


@settings(max_examples=20)
@given(texts, texts, st.sampled_from(["recovered", OTHER_CAUSE, "failed_3", "call"]))
def test_replies_are_within_limits(job: str, why: str, about: str) -> None:
    facts = {"count": 3, "since": NOW}
    text = digests.note(about, job, facts, failed(job=job, message=why, reason="Error"), CALLS)
    assert "<" not in _OURS.sub("", text.replace(CALLS, ""))
    assert (CALLS in text) == (about != "recovered")
    reason = {"kind": "answer", "text": why}
    missed = {"count": 3, "since": NOW, "last_at": NOW, "reason": reason, "ended_by": None}
    clean(*digests.missed(job, missed, CALLS))


def test_occasion_is_told_in_the_tense_of_the_run() -> None:
    slow = {"kind": "slow", "seconds": 1200.0, "expected": True}
    view = line(run(state="running", result=None)).view
    assert "takes longer than the 20m" in str(digests.with_occasion(slow, view, []))
    assert "took longer than the 20m" in str(digests.with_occasion(slow, line(run()).view, []))
    assert digests.with_occasion({"kind": "started"}, view, []) == []
    assert digests.with_occasion(None, view, []) == []
    overlapping = {"kind": "overlapping", "at": NOW}
    assert "It still runs, and was due again" in str(digests.with_occasion(overlapping, view, []))
