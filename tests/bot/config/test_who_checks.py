"""Who may, as `app.yaml` says it: mistakes are told in their line."""

from pathlib import Path

import pytest

from bot.config import load
from tests.bot.config.files import Files

_mistakes = Files({}).mistakes
GITHUB = "github: {token: t, repositories: [acme/shop]}\n"
SLACK = "slack: {bot_token: xoxb-1, signing_secret: s}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "people: {ops: [github:a]}\njobs: {x: {command: c, allow: [opps]}}",
            "2:32: jobs.x.allow[1]: there is no set of people called opps; did you mean ops?",
        ),
        (
            "people:\n  ops: [github:a, lead]\n",
            "2:19: people.ops[2]: there is no set of people called lead",
        ),
        (
            "people: {a: [b], b: [github:x, a]}",
            "1:14: people.a[1]: a names b, which names a in turn: sets of people may not go in a circle",
        ),
        ("people: {a: [a]}", "1:14: people.a[1]: a names a: sets of people may not go in a circle"),
        ("people: {a: [b], b: [c], c: [b]}", "1:22: people.b[1]: b names c, which names b in turn"),
        ("people: {a: []}", "1:13: people.a: expected"),
        ("people: {Ops: [github:a]}", "1:10: people.Ops: expected the name of a set"),
        ("people: {a: [nobody@example.com]}", "1:14: people.a[1]: expected github:LOGIN"),
        (
            "jobs: {x: {command: c, allow: [github:permission/owner]}}",
            "1:32: jobs.x.allow[1]: expected one of read, triage, write, maintain, admin",
        ),
        (
            "jobs: {x: {command: c, deny: [github:permission/read]}}",
            "1:31: jobs.x.deny[1]: a permission shuts nobody out",
        ),
        (
            f"people: {{w: [github:permission/read]}}\n{GITHUB}jobs: {{x: {{command: c, deny: [w]}}}}",
            "3:31: jobs.x.deny[1]: a permission shuts nobody out, and w names one",
        ),
        (
            "jobs: {x: {command: c, allow: [github:@acme/ops]}}",
            "1:32: jobs.x.allow[1]: who that is, GitHub is asked: a github section is needed",
        ),
        (
            "jobs: {x: {command: c, deny: [slack:@ops]}}",
            "1:31: jobs.x.deny[1]: who that is, Slack says: a slack section is needed",
        ),
        ("defaults: {allow: [gone]}\njobs: {x: {command: c}}", "1:20: defaults.allow[1]: there is no set"),
        (
            "jobs: {x: {command: c, repositories: [acme/shop]}}",
            "1:39: jobs.x.repositories[1]: pull requests are GitHub's: a github section is needed",
        ),
        (
            f"{GITHUB}jobs: {{x: {{command: c, repositories: [Acme/Shop, acme/other]}}}}",
            "2:50: jobs.x.repositories[2]: github.repositories does not name acme/other",
        ),
        (
            "jobs: {x: {command: c, repositories: [shop]}}",
            "1:39: jobs.x.repositories[1]: expected a repository",
        ),
    ],
)
def test_mistake_stands_in_its_line(file: Path, text: str, told: str) -> None:
    found = _mistakes(file, text)
    assert any(line.startswith(told) for line in found), found


def test_all_that_may_be_named_is_taken(file: Path) -> None:
    file.write_text(
        "people:\n  ops: [github:@acme/ops, slack:@oncall, leads]\n"
        "  leads: [github:octocat, slack:U012AB3CD]\n"
        f"{GITHUB}{SLACK}"
        "defaults: {allow: [ops]}\n"
        "jobs:\n  a: {command: x, deny: [github:@acme/contractors]}\n"
        "  b: {command: x, allow: [github:permission/maintain, 'token:ci-*', 'actions:acme/shop'],"
        " repositories: [ACME/shop, 'acme/*']}\n"
    )
    jobs = load(file, {}).jobs
    assert (jobs["a"].allow, jobs["a"].deny) == (("ops",), ("github:@acme/contractors",))
    assert jobs["b"].repositories == ("ACME/shop", "acme/*")
