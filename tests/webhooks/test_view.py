"""Rows as people read them."""

import pytest

from bot.tables import Build, Run
from webhooks import view


@pytest.mark.parametrize(("count", "words"), [(812, "812 B"), (4096, "4.0 KiB"), (1_258_291, "1.2 MiB")])
def test_sizes(count: int, words: str) -> None:
    assert view.size(count) == words


@pytest.mark.parametrize(
    ("state", "result", "kind", "word"),
    [
        ("waiting", None, "waiting", "Waiting"),
        ("finished", "timed_out", "timed_out", "Timed out"),
        ("finished", None, "error", "Error"),
        ("running", "succeeded", "running", "Running"),
    ],
)
def test_status_is_the_result_once_there_is_one(state: str, result: str | None, kind: str, word: str) -> None:
    found = view.status(state, result)
    assert (found.kind, found.word) == (kind, word)


def test_waiting_run_says_what_for_and_a_finished_one_does_not() -> None:
    run = Run(number=1, key="k", name="n", job="j", cause="tick", actor="clock", created_at=5.0)
    run.waiting_for = "a free place"
    assert view.run_summary(run).detail == "a free place"

    run.state = "finished"

    summary = view.run_summary(run)
    assert (summary.detail, summary.finished, summary.seconds(9.0)) == (None, True, None)


def test_end_is_told_in_a_sentence_with_the_code_word_behind_it() -> None:
    run = Run(number=1, key="k", name="n", job="j", cause="tick", actor="clock", created_at=5.0)
    run.state, run.reason, run.definition = "finished", "DeadlineExceeded", {"timeout": 20.0}
    assert view.run_summary(run).detail == (
        "`timeout: 20s` in app.yaml was reached. Raise it if that is how long it takes. (DeadlineExceeded)"
    )

    build = Build(
        number=1, key="k", name="b", image="shop", repository="acme/shop", commit="a" * 40, cause="push",
        actor="github:octocat", state="finished", reason="NoSource", created_at=5.0,
    )  # fmt: skip
    assert (view.build_summary(build).detail or "").startswith("GitHub did not give the commit.")
