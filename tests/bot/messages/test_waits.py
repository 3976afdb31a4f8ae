"""What a run waits for: kinds and what they speak of become words, and what is older stays as it is."""

from typing import Any

import pytest

from bot.messages import waiting_for
from bot.messages.waits import _WORDS, waited_for, words
from bot.states import Wait, Waiting
from tests.bot.messages.rows import run

_LOCK = {"lock": "prod", "actor": "github:octocat", "reason": None, "until": None}


@pytest.mark.parametrize(
    ("kind", "on", "sentence"),
    [
        (Wait.CLOSED, _LOCK, "the lock prod, closed by octocat"),
        (
            Wait.CLOSED,
            _LOCK | {"everyone": False, "automatic": True},
            "the lock prod, closed by octocat for all others, which holds for what starts by itself",
        ),
        (
            Wait.CLOSED,
            _LOCK | {"reason": "a sale", "until": 90_000.0},
            "the lock prod, closed by octocat until 1970-01-02 01:00 UTC (a sale)",
        ),
        (
            Wait.HELD,
            {"lock": "prod", "run": 7, "job": "deploy", "actor": "github:octocat", "place": 1},
            "the lock prod, held by deploy #7, asked by octocat; place 1 in the queue",
        ),
        (Wait.HELD, {"lock": "prod"}, "the lock prod, held by another run"),
        (Wait.AHEAD, {"run": 7, "stopping": True, "place": None}, "#7 to stop; many others come first"),
        (
            Wait.AHEAD,
            {"run": 7, "stopping": False, "place": 2, "around": 720.0},
            "#7 to end; place 2 in the queue, its turn comes about 1970-01-01 00:12 UTC",
        ),
        (Wait.TURN, {"turn": 24, "done": 5}, "its turn in a backfill, of which 5 of 24 are over"),
        (
            Wait.TURN,
            {"turn": 24, "done": 5, "failed": 1},
            "its turn in a backfill, of which 5 of 24 are over, 1 failed",
        ),
        (
            Wait.FREEZE,
            {"kind": "frozen", "job": "a", "locks": ["prod"], "by": "github:octocat", "why": "*sale* #5"},
            "the end of a freeze (the lock `prod` is frozen by octocat: *sale* #5)",
        ),
        (
            Wait.ATTEMPT,
            {"attempt": 2, "of": 3, "pause": 4.0},
            "attempt 2 of 3 to begin 4s after the one before",
        ),
    ],
)
def test_every_kind_is_said(kind: Wait, on: dict[str, Any], sentence: str) -> None:
    assert words(Waiting(kind, on)) == sentence
    row = run(state="waiting", waiting_for=kind.value, waiting_on=on)
    assert waiting_for(row) == sentence


@pytest.mark.parametrize("text", ["#7 to end; place 1 in the queue", "The image is pulled", None])
def test_what_an_older_version_or_an_engine_says_stays_whatever_was_stored_before(text: str | None) -> None:
    stale = {"run": 7, "stopping": False, "place": 1}
    assert waiting_for(run(state="waiting", waiting_for=text, waiting_on=stale)) == text


def test_kind_without_what_it_speaks_of_can_be_read() -> None:
    assert waiting_for(run(state="waiting", waiting_for=Wait.AHEAD.value)) == "another run"


def test_yes_that_is_there_is_waited_for_no_more_and_was_waited_for() -> None:
    on = {"whose": "ops", "until": None, "count": 0, "given": ["github:ada"]}
    row = run(state="waiting", waiting_for=Wait.APPROVAL.value, waiting_on=on)
    assert waiting_for(row) == "its rules to be asked anew, since its yes is there"
    row.waiting_for = None
    assert waited_for(row) == "a yes of ops"


def test_every_kind_has_words() -> None:
    assert set(_WORDS) == set(Wait)
