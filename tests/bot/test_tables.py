"""Rows of tables: made of their columns and defaults, without being checked."""

import pytest

from bot.states import State
from bot.tables import Post, Run


def _run() -> Run:
    return Run(key="k", name="n", job="true", cause="github", actor="octocat", created_at=1.0)


def test_row_has_what_was_given_and_defaults_of_its_own() -> None:
    one, other = _run(), _run()
    assert (one.key, one.state, one.attempt, one.digest) == ("k", State.WAITING, 1, None)
    one.tail.append("mine")
    assert other.tail == []
    assert one.model_dump(include={"job", "tail"}) == {"job": "true", "tail": ["mine"]}
    assert "tail" not in other.model_dump(exclude_unset=True)


def test_row_has_no_other_columns() -> None:
    with pytest.raises(TypeError, match="Post has no runn_number"):
        Post(key="k", kind="github_comment", nonce="n", created_at=1.0, runn_number=1)  # type: ignore[call-arg]
