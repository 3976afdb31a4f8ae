import os
import subprocess
import sys
import threading

import pytest

from tests.measuring import is_measured, unmeasured, without_coverage

SEEN = "import os, sys; print(sys.gettrace(), [name for name in os.environ if name.startswith('COVERAGE_P')])"


def test_nothing_is_measured_meanwhile_and_everything_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE_PROCESS_START", "pyproject.toml")
    before = sys.gettrace(), threading.gettrace()
    with unmeasured():
        assert (sys.gettrace(), threading.gettrace()) == (None, None)
        program = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, check=True)
        assert program.stdout == "None []\n"
    assert (sys.gettrace(), threading.gettrace()) == before
    assert os.environ["COVERAGE_PROCESS_START"] == "pyproject.toml"


def test_only_coverage_is_taken_from_an_environment() -> None:
    assert without_coverage({"COVERAGE_PROCESS_CONFIG": "x", "PATH": "/bin"}) == {"PATH": "/bin"}


def test_this_one_is_measured(request: pytest.FixtureRequest) -> None:
    assert is_measured(request.node)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_second_database_is_not(request: pytest.FixtureRequest, database: str) -> None:
    assert is_measured(request.node) == (database == "sqlite")
