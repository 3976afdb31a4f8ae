"""`errand remove` asks before it takes a job with its history, and never guesses an answer."""

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from terminal import removing
from terminal.app import cli
from terminal.failures import USAGE, Usage


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What Errand is asked for."""
    calls: list[tuple[str, str]] = []

    class Remote:
        def ask(self, method: str, path: str) -> dict[str, Any]:
            calls.append((method, path))
            return {}

    monkeypatch.setattr(removing, "connected", Remote)
    return calls


def test_nobody_to_ask_needs_yes(asked: list[tuple[str, str]]) -> None:
    error = CliRunner().invoke(cli, ["remove", "nightly"]).exception
    assert isinstance(error, Usage)
    assert (error.code, "--yes" in str(error), asked) == (USAGE, True, [])
    assert CliRunner().invoke(cli, ["remove", "nightly", "--yes"]).exit_code == 0
    assert asked == [("DELETE", "/api/jobs/nightly")]


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_terminal_is_asked(
    monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, str]], answer: bool, code: int
) -> None:
    questions: list[str] = []

    def confirm(question: str, **_: Any) -> bool:
        questions.append(question)
        return answer

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr(removing, "is_asked", lambda: True)
    assert CliRunner().invoke(cli, ["remove", "nightly"]).exit_code == code
    assert (questions, len(asked)) == (["Remove nightly with all its runs, logs and hooks?"], int(answer))
