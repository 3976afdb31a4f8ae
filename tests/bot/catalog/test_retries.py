"""Which ends of an attempt deserve another, by which rule, and how long later."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.catalog.retries import Ended, Retries, decision_of, of_definition, rules_of
from bot.messages.retries import followed, policy

FINE: dict[str, Any] = {
    "attempts": 3,
    "on": ["error", "timed_out", {"exit": [75, 111]}, {"reason": "OOMKilled"}],
    "never": [{"exit": 2}, {"reason": "Unschedulable"}],
    "delay": "10s",
}


def _ended(result: str, exit_code: int | None = None, reason: str | None = None, attempt: int = 1) -> Ended:
    return Ended(attempt, result, reason, exit_code)


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (_ended("error"), (True, "on", "error")),
        (_ended("timed_out", 143), (True, "on", "timed_out")),
        (_ended("failed", 111), (True, "on", "exit: 111")),
        (_ended("failed", 3), (False, "unlisted", "failed")),
        (_ended("failed", 2), (False, "never", "exit: 2")),
        (_ended("failed", 137, "OOMKilled"), (True, "on", "reason: OOMKilled")),
        (_ended("error", None, "Unschedulable"), (False, "never", "reason: Unschedulable")),
        (_ended("timed_out", 2), (True, "on", "timed_out")),  # it did not end by itself
        (_ended("error", attempt=3), (False, "last", "error")),
        (_ended("failed", 2, attempt=3), (False, "never", "exit: 2")),
    ],
)
def test_end_is_tried_again_by_the_rule_that_fits(ended: Ended, told: tuple[bool, str, str]) -> None:
    decision = decision_of({"retries": FINE}, ended)
    assert decision is not None
    assert (decision.again, decision.kind, decision.rule) == told


@pytest.mark.parametrize("result", ["cancelled", "succeeded"])
@pytest.mark.parametrize("written", [2, FINE])
def test_what_was_cancelled_is_never_tried_again(result: str, written: Any) -> None:
    rules = of_definition({"retries": written})
    assert rules is not None
    assert rules.decide(_ended(result, 143)) is None
    assert rules.pause_after(_ended(result, 143), "a-1-x") is None


@pytest.mark.parametrize("result", ["failed", "timed_out", "error"])
def test_number_alone_tries_again_whatever_went_wrong(result: str) -> None:
    rules = rules_of(2)
    assert rules is not None
    assert [rules.pause_after(_ended(result, 3, attempt=n), "a") for n in (1, 2, 3)] == [2.0, 4.0, None]
    assert rules_of(0) is None


def test_pauses_grow_and_are_bounded() -> None:
    doubled = rules_of(10)
    assert doubled is not None
    assert [doubled.pause_after(_ended("error", attempt=n), "a") for n in (3, 8, 9, 10)] == [8, 256, 300, 300]
    steady = Retries.model_validate({"attempts": 9, "delay": "10m", "factor": 1})
    assert [steady.pause_after(_ended("error", attempt=n), "a") for n in (1, 8)] == [600.0, 600.0]
    steep = Retries.model_validate({"attempts": 5, "delay": "10s", "factor": 10, "longest": "1h"})
    assert [steep.pause_after(_ended("error", attempt=n), "a") for n in (1, 2, 3, 4)] == [
        10, 100, 1000, 3600,
    ]  # fmt: skip


def test_chance_makes_a_pause_longer_and_is_the_same_for_every_bot() -> None:
    rules = Retries.model_validate({"attempts": 2, "delay": "100s", "jitter": 0.5})
    pauses = {rules.pause_after(_ended("error"), f"a-{n}-x") for n in range(50)}
    assert len(pauses) > 40
    assert all(pause is not None and 100 <= pause <= 150 for pause in pauses)
    assert rules.pause_after(_ended("error"), "a-1-x") == rules.pause_after(_ended("error"), "a-1-x")


@pytest.mark.parametrize("written", [None, "x", {"attempts": "x"}, {"attempts": 2, "of another version": 1}])
def test_stored_definition_that_is_not_understood_is_not_tried_again(written: Any) -> None:
    assert of_definition({"retries": written}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"attempts": 0},
        {"attempts": 12},
        {"attempts": 2, "on": ["cancelled"]},
        {"attempts": 2, "on": [{"exit": [0]}]},
        {"attempts": 2, "never": [{"exit": []}]},
        {"attempts": 2, "never": [{"reason": "no reason"}]},
        {"attempts": 2, "delay": "2h"},
        {"attempts": 2, "factor": 0.5},
    ],
)
def test_wrong_rules_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Retries.model_validate(wrong)


def test_rules_in_words() -> None:
    rules = Retries.model_validate(FINE)
    assert policy(rules) == (
        "up to 3 attempts, another after `error`, `timed_out`, `exit: 75, 111`, `reason: OOMKilled`,"
        " never after `exit: 2`, `reason: Unschedulable`; 10s later, then 2 times as long each"
    )
    said = [rules.decide(_ended("failed", code)) for code in (75, 2, 3)]
    assert [followed(each) for each in said if each is not None] == [
        "tried again: `exit: 75` is in `on`",
        "not tried again: `exit: 2` is in `never`",
        "not tried again: `failed` is not in `on`",
    ]
