"""Rules for workflows of GitHub Actions: whom each lets in, and what is no rule."""

from typing import Any

import pytest

from bot.access.rules import People
from bot.access.workflow_index import WorkflowIndex
from bot.access.workflows import Workflow, rule

MAIN = "refs/heads/main"


def may_start(allow: list[str], workflow: Workflow) -> bool:
    return WorkflowIndex([("migrate", People().rule(allow))]).jobs(workflow) == {"migrate"}


def _workflow(**keys: Any) -> Workflow:
    made = {
        "repository": "acme/shop",
        "repository_id": "1296269",
        "ref": MAIN,
        "event": "push",
        "workflow_ref": f"acme/shop/.github/workflows/deploy.yml@{MAIN}",
        "environment": None,
    }
    return Workflow(**(made | keys))


FITTING: list[tuple[str, dict[str, Any]]] = [
    ("actions:acme/shop", {}),
    ("actions:acme/shop", {"ref": "refs/tags/v1"}),
    ("actions:acme/shop", {"ref": "", "event": "deployment"}),
    ("actions:acme/shop@refs/heads/main", {}),
    ("actions:ACME/Shop@refs/heads/main", {}),
    ("actions:acme/*@refs/heads/main", {"repository": "acme/web"}),
    ("actions:acme/shop@refs/heads/release/*", {"ref": "refs/heads/release/1"}),
    ("actions:acme/shop@refs/heads/**", {"ref": "refs/heads/a/b/c"}),
    ("actions:acme/shop@refs/tags/v*", {"ref": "refs/tags/v1.2"}),
    ("actions:acme/*:environment:production", {"environment": "Production", "ref": "refs/heads/x"}),
    ("actions:acme/shop:environment:eu: live/*", {"environment": "eu: live/1"}),
    ("actions:acme/shop@refs/heads/main:environment:production", {"environment": "production"}),
    ("actions:acme/shop#1296269@refs/heads/main", {}),
    ("actions:acme/shop#1296269@refs/heads/main", {"repository": "acme/store"}),
    ("actions:acme/shop:workflow:deploy.yml", {}),
    (
        "actions:acme/shop@refs/heads/main:workflow:deploy.*:environment:production",
        {"environment": "production"},
    ),
    ("actions:acme/shop@refs/pull/*/merge", {"ref": "refs/pull/7/merge", "event": "pull_request"}),
]


@pytest.mark.parametrize(("text", "keys"), FITTING)
def test_rule_lets_in_what_it_names(text: str, keys: dict[str, Any]) -> None:
    assert may_start([text], _workflow(**keys))


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("actions:acme/shop", {"repository": "acme/shop2"}),
    ("actions:acme/shop", {"repository": "mallory/shop"}),
    ("actions:acme/*", {"repository": "acme-evil/shop"}),
    ("actions:acme/shop@refs/heads/main", {"ref": "refs/heads/main2"}),
    ("actions:acme/shop@refs/heads/main", {"ref": "refs/heads/Main"}),
    ("actions:acme/shop@refs/heads/main", {"ref": "refs/tags/main"}),
    ("actions:acme/shop@refs/heads/*", {"ref": "refs/heads/a/b"}),
    ("actions:acme/shop@refs/heads/main", {"ref": ""}),
    ("actions:acme/shop:environment:production", {}),
    ("actions:acme/shop:environment:production", {"environment": "production-eu"}),
    ("actions:acme/shop:environment:*", {"environment": None}),
    ("actions:acme/shop:environment:staging", {"environment": "\u017ftaging"}),  # a long s
    ("actions:acme/shop:environment:staging", {"environment": "\ufb06aging"}),  # s and t as one
    ("actions:acme/shop:environment:k8s", {"environment": "\u212a8s"}),  # the sign for Kelvin
    (
        "actions:acme/shop@refs/heads/main:environment:production",
        {"ref": "refs/heads/x", "environment": "production"},
    ),
    ("actions:acme/shop#1296269", {"repository_id": "1"}),
    (
        "actions:acme/shop:workflow:deploy.yml",
        {"workflow_ref": f"acme/shop/.github/workflows/test.yml@{MAIN}"},
    ),
    (
        "actions:acme/shop:workflow:deploy.yml",
        {"workflow_ref": f"acme/other/.github/workflows/deploy.yml@{MAIN}"},
    ),
    (
        "actions:acme/shop@refs/heads/main:workflow:deploy.yml",
        {"workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/mine"},
    ),
]


@pytest.mark.parametrize(("text", "keys"), OTHERS)
def test_rule_keeps_out_all_else(text: str, keys: dict[str, Any]) -> None:
    assert not may_start([text], _workflow(**keys))


@pytest.mark.parametrize(
    "keys",
    [
        {"event": "pull_request", "ref": "refs/pull/7/merge", "environment": "production"},
        {"event": "pull_request_target", "environment": "production"},
        {"event": "workflow_dispatch", "ref": "refs/pull/7/head", "environment": "production"},
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "actions:acme/shop",
        "actions:acme/shop@refs/heads/**",
        "actions:acme/shop:environment:production",
        "actions:acme/shop:workflow:*",
    ],
)
def test_pull_request_is_let_in_by_no_rule_that_does_not_say_so(text: str, keys: dict[str, Any]) -> None:
    assert not may_start([text], _workflow(**keys))


def test_workflow_that_runs_for_a_strangers_pull_request_is_let_in_by_none() -> None:
    """`pull_request_target` claims the base's own ref, whatever code it fetches."""
    assert not may_start(["actions:acme/shop@refs/pull/**"], _workflow(event="pull_request_target"))


def test_job_without_rules_is_started_by_no_workflow() -> None:
    assert not may_start([], _workflow())


def test_one_rule_that_fits_is_enough() -> None:
    assert may_start(["actions:acme/web", "actions:acme/shop"], _workflow())


def test_deny_shuts_out_what_allow_lets_in() -> None:
    people = People()
    rules = [
        ("open", people.rule(["actions:acme/*"])),
        ("closed", people.rule(["actions:acme/*"], ["actions:acme/shop@refs/heads/**"])),
    ]
    assert WorkflowIndex(rules).jobs(_workflow()) == {"open"}


def test_set_of_people_may_name_workflows() -> None:
    people = People({"deployers": ["actions:acme/shop"]})
    assert WorkflowIndex([("migrate", people.rule(["deployers"]))]).jobs(_workflow()) == {"migrate"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme/shop", "a rule such as"),
        ("actions:", "a rule such as"),
        ("actions:acme", "a rule such as"),
        ("actions:acme/shop/x", "a rule such as"),
        ("actions:acme/shop:head_ref:x", "a rule such as"),
        ("actions:acme/shop@refs/heads/a b", "a rule such as"),
        ("actions:acme/" + "x" * 600, "a rule such as"),
        ("actions:*/*", "without \\*"),
        ("actions:ac*/shop", "without \\*"),
        ("actions:acme/sh?p", "a repository such as"),
        ("actions:acme/shop@", "a whole ref"),
        ("actions:acme/shop@main", "a whole ref"),
        ("actions:acme/shop@**", "a whole ref"),
        ("actions:acme/shop@refs/**", "a whole ref"),
        ("actions:acme/shop#", "the number"),
        ("actions:acme/shop#x", "the number"),
        ("actions:acme/*#12", "without \\*"),
        ("actions:acme/shop:environment:", "an environment"),
        ("actions:acme/shop:environment:  ", "an environment"),
        ("actions:acme/shop:workflow:", "a file"),
        ("actions:acme/shop:workflow:a/b.yml", "a file"),
    ],
)
def test_what_is_no_rule_is_told_with_what_is_expected(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=f"expected.*({expected})"):
        rule(text)
