"""What may stand in `approval`, and where a mistake is told."""

from pathlib import Path

import pytest

from bot.catalog.approval import Door, door_of
from bot.catalog.catalog import Job
from bot.config import load
from bot.errors import ConfigError

HEAD = """
url: https://errand.example.com
jobs:
  migrate:
    command: "true"
    parameters: {DRY_RUN: {type: boolean, default: true}}
"""


@pytest.mark.parametrize(
    ("approval", "what"),
    [
        ("{from: [ops]}", r"7:23: .*there is no set of people called ops"),
        ("{from: [github:a, github:a]}", "listed twice"),
        ("{from: [somebody else]}", "expected github:LOGIN"),
        ("{count: 0}", "at least 1"),
        ("{count: 11}", "at most 10"),
        ("{expires: 1s}", "a duration from 1m to 7d"),
        ("{on: []}", "at least 1"),
        ("{on: [mail]}", "'?mail"),
        ("{own: true}", "own"),
        ('{when: "DRY_RUNS"}', r"7:22: jobs.migrate.approval.when: .*did you mean DRY_RUN"),
        ('{when: "DRY_RUN &&"}', r"7:22: .*line 1, column 11"),
    ],
)
def test_mistake_is_told_with_line_and_column(tmp_path: Path, approval: str, what: str) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(f"{HEAD}    approval: {approval}\n")
    with pytest.raises(ConfigError, match=what):
        load(file, {})


def test_definition_is_stored_and_read_back() -> None:
    job = Job.model_validate(
        {"name": "migrate", "command": "true", "approval": {"from": ["github:octocat"], "expires": "2h"}}
    )
    stored = job.model_dump(mode="json")
    assert stored["approval"]["from"] == ["github:octocat"]
    assert Job.frozen(stored) == job


def test_every_door_of_people_is_one_that_a_rule_can_name() -> None:
    assert [door_of(cause) for cause in ("comment", "check", "slack", "page", "api", "push")] == [
        Door.GITHUB,
        Door.GITHUB,
        Door.SLACK,
        Door.PAGE,
        Door.API,
        None,
    ]
