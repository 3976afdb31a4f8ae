import pytest
from typer.testing import CliRunner

from terminal.app import cli
from terminal.failures import USAGE, Usage


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--state", "failed"], "`--result failed` is what you look for."),
        (["--result", "running"], "`--state running` is what you look for."),
        (["--result", "failed,gone"], "cancelled, timed_out, error, not gone."),
        (["--state", "gone"], "expected one of waiting,"),
    ],
)
def test_words_that_no_run_has_are_told_before_anybody_is_asked(words: list[str], told: str) -> None:
    error = CliRunner().invoke(cli, ["runs", *words]).exception
    assert isinstance(error, Usage)
    assert told in str(error)
    assert error.code == USAGE


def test_page_of_one_run_is_told_before_anybody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRAND_TOKEN", "errand_x")
    error = CliRunner().invoke(cli, ["status", "#7", "--page", "2"]).exception
    assert isinstance(error, Usage)
    assert "a number means one run" in str(error)
