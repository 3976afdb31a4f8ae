"""What both engines with containers read in the same way."""

import pytest

from executor import outcomes
from executor.spec import Outcome, Result


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ('exec: "nope": executable file not found in $PATH', 127),
        ("open executable: Permission denied", 126),
        ("exec format error", 126),
        ("crun: executable file `nope` not found: command that was not found", 127),
        ("the runtime is out of order", None),
    ],
)
def test_what_cannot_be_executed_has_the_code_that_sh_gives_it(words: str, code: int | None) -> None:
    outcome = outcomes.not_executed(words)
    assert (None if outcome is None else outcome.exit_code) == code


def test_only_a_code_but_zero_is_a_failure() -> None:
    assert outcomes.by_code(0, 1.0, 2.0) == Outcome(Result.SUCCEEDED, 0, started_at=1.0, finished_at=2.0)
    assert outcomes.by_code(3, None, None) == Outcome(Result.FAILED, 3)


def test_memory_is_told_with_its_limit_where_there_was_one() -> None:
    killed = outcomes.by_code(137, 1.0, 2.0)
    limited, unlimited = outcomes.out_of_memory(killed, 64 * 2**20), outcomes.out_of_memory(killed, None)
    assert (limited.reason, limited.message) == ("OOMKilled", "It was killed at its memory limit of 64 MiB.")
    assert unlimited.message == "It was killed because the machine had no memory left."


def test_timeout_has_a_reason_of_its_own() -> None:
    ended = outcomes.by_code(143, 1.0, 2.0)
    assert outcomes.stopped(ended, Result.TIMED_OUT).reason == "DeadlineExceeded"
    assert outcomes.stopped(ended, Result.CANCELLED).reason is None


def test_words_of_others_are_bounded() -> None:
    assert len(str(outcomes.error("Why", "x" * 9000).outcome.message)) == outcomes.MOST
