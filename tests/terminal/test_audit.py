"""`errand audit`: what was last as a table, what is asked for as lines, and what comes as it comes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from terminal import audit
from terminal.app import cli
from terminal.failures import Unreachable
from terminal.remote import Remote, Where
from tests.terminal.test_remote import listening, saying


def row(number: int, **changes: Any) -> dict[str, Any]:
    made = {
        "number": number,
        "at": "2026-11-29T10:00:00.000Z",
        "kind": "lock.closed",
        "actor": "github:octocat",
        "cause": "comment",
        "subject": "lock:production",
        "job": None,
        "run": None,
        "repository": "acme/shop",
        "rule": "allow: github:@acme/ops",
        "facts": {"reason": "moving \x1b[31mhouse", "parameters": {"REGION": "eu"}},
    }
    return made | changes


class Service:
    """Answers with what it has, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.rows = [row(1), row(2, kind="run.started", subject="run:7", job="ship", run=7)]
        self.comes: list[list[dict[str, Any]] | Exception] = []

    def pages(self, path: str, key: str, query: dict[str, object], limit: int) -> Iterator[dict[str, Any]]:
        self._ask(query)
        return iter(self.rows[::-1])

    def lines(self, path: str, query: dict[str, object], **how: object) -> Iterator[dict[str, Any]]:
        self._ask(query)
        if "follow" not in query:
            yield from self.rows
            return
        found = self.comes.pop(0)
        if isinstance(found, Exception):
            raise found
        yield from found

    def again(self, environ: object) -> None:
        """It is where it was."""

    def _ask(self, query: dict[str, object]) -> None:
        self.asked.append({name: value for name, value in query.items() if value is not None})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()
    monkeypatch.setattr(audit, "connected", lambda: made)
    monkeypatch.setattr(audit, "_PAUSE", 0.0)
    return made


def test_last_rows_are_a_table_oldest_first_in_words_without_control_sequences(service: Service) -> None:
    output = CliRunner().invoke(cli, ["audit", "--actor", "octocat"]).output
    head, first, second = output.splitlines()
    assert head.split() == ["when", "what", "of", "by", "rule", "facts"]
    for words in ("locked", "lock:production", "octocat in a comment", "allow: github:@acme/ops"):
        assert words in first
    assert "parameters.REGION=eu" in first
    assert "\x1b" not in output
    assert "run asked for" in second
    assert "ship #7" in second
    assert service.asked == [{"actor": "octocat", "limit": audit.NEWEST}]


def test_what_is_asked_for_since_a_moment_is_all_of_it(service: Service) -> None:
    arguments = ["audit", "--since", "7d", "--kind", "lock.closed,run.started", "--kind", "lock.opened"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    kinds = "lock.closed,run.started,lock.opened"
    assert service.asked == [{"since": "7d", "kind": kinds, "format": "jsonl"}]
    lines = CliRunner().invoke(cli, ["audit", "--format", "jsonl"]).output.splitlines()
    assert [json.loads(line) for line in lines] == service.rows


def test_kind_that_is_none_is_told(service: Service) -> None:
    result = CliRunner().invoke(cli, ["audit", "--kind", "locked"])
    assert "expected one of run.started" in str(result.exception)
    assert service.asked == []


def test_followed_rows_go_on_behind_the_last_one_after_a_break(service: Service) -> None:
    service.comes = [[row(3)], Unreachable("gone"), [row(4)], KeyboardInterrupt()]  # type: ignore[list-item]
    result = CliRunner().invoke(cli, ["audit", "--follow", "--format", "jsonl"])
    assert [json.loads(line)["number"] for line in result.output.splitlines() if line] == [1, 2, 3, 4]
    assert [each.get("after") for each in service.asked] == [None, 2, 3, 3, 4]


@pytest.mark.parametrize(
    ("content", "media"),
    [(b'{"number": 1}\n{"numb', "application/jsonl"), (b"<html>", "text/html"), (b"{}", "application/json")],
)
def test_answer_that_is_no_lines_or_breaks_off_is_told(content: bytes, media: str) -> None:
    with listening(saying(200, content, Content_Type=media)) as address, pytest.raises(Unreachable):
        list(Remote(Where(address, "t")).lines("/api/audit", {}))
