"""What the command line makes of answers."""

import pytest

from bot.errors import ProblemType
from terminal import words
from terminal.failures import Failure, Problem


def test_unknown_job_is_known_by_the_type_of_the_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "job_names", lambda incomplete: ["hello"])
    with pytest.raises(Failure, match="Did you mean hello"), words.naming("helo"):
        raise Problem(404, "Nothing here is called so.", kind=ProblemType.NO_SUCH_JOB)


def test_sentence_of_another_problem_is_told_as_it_is() -> None:
    with pytest.raises(Problem, match="its version is new"), words.naming("hello"):
        raise Problem(404, "There is no such job: its version is new.", kind=ProblemType.NO_SUCH_RUN)
