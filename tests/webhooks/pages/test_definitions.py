"""How the versions of a job differ: what changed, without the texts of variables, and within bounds."""

from typing import Any

from bot.catalog.catalog import Job
from bot.tables import JobVersion
from webhooks.pages.definitions import Change, facts, history, rules


def _row(version: int, *, deleted: bool = False, **definition: Any) -> JobVersion:
    made = {} if deleted else {"command": "true", **definition}
    return JobVersion(
        job="report", version=version, source="api", definition=made, deleted=deleted, actor="token:ci",
        created_at=0.0,
    )  # fmt: skip


def _changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    (found,) = history([_row(2, **new), _row(1, **old)], 1)
    assert found.changes is not None
    return list(found.changes)


def test_values_are_told_and_texts_of_variables_and_files_are_not() -> None:
    old = {"retries": 1, "env": {"A": "one", "B": "x"}, "files": {"etc/a.b": "1"}, "lock": "db"}
    new = {"retries": 2, "env": {"A": "two", "C": "x"}, "files": {"etc/a.b": "2"}, "size": "big"}
    assert _changes(old, new) == [
        Change("retries", "changed", "1", "2"),
        Change("env.A", "changed"),
        Change("env.B", "removed"),
        Change("files.etc/a.b", "changed"),
        Change("lock", "removed", "db", None),
        Change("env.C", "added"),
        Change("size", "added", None, "big"),
    ]


def test_entries_of_lists_are_told_by_their_place() -> None:
    entry = {"issue_comment": {"contains": "x"}}
    changes = _changes({"on": ["push", entry]}, {"on": ["push", {"issue_comment": {"contains": "y"}}]})
    assert changes == [Change("on.2.issue_comment.contains", "changed", "x", "y")]


def test_long_texts_are_compared_line_by_line_and_within_bounds() -> None:
    lines = [f"echo {number}" for number in range(490)]
    (change,) = _changes(
        {"setup": "\n".join(lines)}, {"setup": "\n".join([*lines[:400], "new", *lines[400:]])}
    )
    assert change.lines == ["…", " echo 398", " echo 399", "+new", " echo 400", " echo 401"]
    (change,) = _changes({"setup": "\n".join(lines)}, {"setup": "\n".join(reversed(lines))})
    assert (len(change.lines), change.lines[-1][0]) == (121, "…")
    (change,) = _changes({"setup": "x" * 30_000}, {"setup": "y" * 30_000})
    assert (change.verb, change.lines, change.old) == ("changed", [], None)
    (version,) = history([_row(2, env={f"V{n}": "" for n in range(99)}), _row(1, setup="")], 1)
    assert (len(version.changes or ()), version.left_out) == (60, 39)


def test_version_beside_one_that_was_taken_away_or_forgotten_is_not_compared() -> None:
    rows = [_row(3), _row(2, deleted=True), _row(1)]
    assert [each.changes for each in history(rows, 3)] == [None, None, None]
    assert [each.row.version for each in history(rows, 2)] == [3, 2]


def test_facts_name_what_the_definition_says_and_nothing_else() -> None:
    job = Job(
        name="report",
        command="true",
        env={"B": "secret-text", "A": "x"},
        resources={"cpu": "500m", "memory": "256Mi"},
        notify={"slack": "#ops"},
    )
    told = {fact.label: list(fact.texts) for fact in facts(job)}
    assert told["Variables"] == ["A", "B"]
    assert told["Resources"] == ["0.5 cores", "256Mi"]
    assert told["Notifies"] == ["slack: #ops"]
    assert "Files" not in told
    assert "secret-text" not in str(told)


def test_rules_say_whose_yes_it_needs_and_what_goes_before_and_after() -> None:
    job = Job(
        name="deploy",
        command="true",
        parameters={"DRY": {"type": "boolean", "default": True}},
        approval={"from": ["github:octocat"], "when": "DRY == false", "expires": "2h"},
        after={"job": "migrate", "within": "7d"},
        then=["smoke"],
    )
    told = {fact.label: list(fact.texts) for fact in rules(job)}
    assert told["Somebody's yes"] == [
        "it waits for a yes of github:octocat where DRY == false, for 2h at most"
    ]
    assert told["Order"] == [
        "it runs only where migrate has succeeded for the same commit, in the last 7d",
        "its success starts smoke",
    ]
