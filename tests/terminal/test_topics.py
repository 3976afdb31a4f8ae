"""`errand help` of a job is what the Errand that is meant says of it, and of nothing else."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from terminal.app import cli
from terminal.failures import Usage
from tests.terminal.test_remote import listening, saying


def test_help_of_a_job_is_asked_for_and_that_of_a_command_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    said = {"job": "hello", "text": "`errand run hello`: Say *hello*"}
    with listening(saying(200, json.dumps(said).encode(), Content_Type="application/json")) as address:
        monkeypatch.setenv("ERRAND_URL", address)
        monkeypatch.setenv("ERRAND_TOKEN", "errand_x")
        assert "errand run hello: Say *hello*" in CliRunner().invoke(cli, ["help", "hello", "2"]).output
        assert "Example:" in CliRunner().invoke(cli, ["help", "run"]).output
        for words in (["hello", "x"], ["hello", "1", "2"], ["hook", "hello"]):
            assert isinstance(CliRunner().invoke(cli, ["help", *words]).exception, Usage), words


def test_name_that_nobody_knows_is_told_without_an_errand_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ERRAND_TOKEN", raising=False)
    error = CliRunner().invoke(cli, ["help", "rnu"]).exception
    assert str(error) == "There is no command errand rnu. Did you mean run?"
