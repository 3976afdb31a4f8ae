"""How the end of a container is read."""

from typing import Any

import pytest

from executor.container import outcomes
from executor.container.containers import MEMORY, Container, read
from executor.spec import Result


def ended(code: int, **state: Any) -> Container:
    answer = {
        "Id": "1",
        "State": {"Status": "exited", "ExitCode": code, "StartedAt": "2026-01-01T00:00:01Z"} | state,
        "Config": {"Labels": {MEMORY: str(64 << 20)}, "Env": []},
    }
    return read(answer)


@pytest.mark.parametrize(
    ("code", "result"), [(0, Result.SUCCEEDED), (3, Result.FAILED), (137, Result.FAILED)]
)
def test_exit_code_is_the_container_s(code: int, result: Result) -> None:
    outcome = outcomes.of(ended(code), None, False, b"")
    assert (outcome.result, outcome.exit_code, outcome.reason, outcome.message) == (result, code, None, None)


def test_end_by_memory_is_told_from_a_kill() -> None:
    for outcome in (
        outcomes.of(ended(137, OOMKilled=True), None, False, b""),
        outcomes.of(ended(137), None, True, b""),
    ):
        assert (outcome.result, outcome.reason) == (Result.FAILED, "OOMKilled")
        assert "64 MiB" in (outcome.message or "")
    assert outcomes.of(ended(0, OOMKilled=True), None, True, b"").result is Result.SUCCEEDED


def test_who_asked_for_the_stop_is_told() -> None:
    assert outcomes.of(ended(0), "cancelled", False, b"").result is Result.CANCELLED
    late = outcomes.of(ended(9), "timed_out", True, b"")
    assert (late.result, late.exit_code, late.reason) == (Result.TIMED_OUT, 9, "DeadlineExceeded")


@pytest.mark.parametrize(
    ("code", "said", "becomes"),
    [
        (1, b"ERROR (catatonit:2): failed to exec pid1: No such file or directory\n", 127),
        (1, b"ERROR (catatonit:2): failed to exec pid1: Permission denied\n", 126),
        (127, b"[FATAL tini (7)] exec nope failed: No such file or directory\n", 127),
        (127, b"sh: exec: line 0: nope: not found\n", 127),
    ],
)
def test_command_that_is_not_there_ends_as_in_a_shell(code: int, said: bytes, becomes: int) -> None:
    outcome = outcomes.of(ended(code), None, False, said)
    assert (outcome.result, outcome.exit_code, outcome.reason) == (Result.FAILED, becomes, None)
    assert outcome.message == said.decode().strip()


def test_end_is_never_before_the_start() -> None:
    outcome = outcomes.of(ended(0, FinishedAt="2026-01-01T00:00:00.998Z"), None, False, b"")
    assert outcome.finished_at == outcome.started_at


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [
        (404, "no such image: shop@sha256:aa: image not known", "ImageMissing"),
        (500, "normalizing image: invalid reference format", "ImageMissing"),
        (500, "container create: CPU cfs quota cannot be less than 1ms", "ContainerRefused"),
    ],
)
def test_refused_creation_is_an_error_in_the_engine_s_words(status: int, words: str, reason: str) -> None:
    outcome = outcomes.refused_creation(status, words, "shop").outcome
    assert (outcome.result, outcome.reason) == (Result.ERROR, reason)
    assert words in (outcome.message or "")


@pytest.mark.parametrize(
    ("words", "result", "code", "reason"),
    [
        ('exec: "nope": executable file not found in $PATH', Result.FAILED, 127, None),
        ('exec: "/x": permission denied', Result.FAILED, 126, None),
        ('workdir "/x" exists, but is not a directory', Result.ERROR, None, "WorkdirInvalid"),
        ("unable to set memory limit to 1000", Result.ERROR, None, "StartRefused"),
    ],
)
def test_refused_start_is_the_job_s_only_where_its_command_is_wrong(
    words: str, result: Result, code: int | None, reason: str | None
) -> None:
    outcome = outcomes.refused_start(words).outcome
    assert (outcome.result, outcome.exit_code, outcome.reason) == (result, code, reason)
