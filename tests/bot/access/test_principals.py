"""Whom rules name, and what names nobody."""

import pytest

from bot.access.principals import Kind, member, principal


@pytest.mark.parametrize(
    ("text", "kind", "name", "team"),
    [
        ("github:octocat", Kind.LOGIN, "octocat", None),
        ("github:permission", Kind.LOGIN, "permission", None),
        ("github:@acme", Kind.ORG, "acme", None),
        ("github:@acme/ops-eu", Kind.ORG, "acme", "ops-eu"),
        ("github:permission/write", Kind.LEVEL, "write", None),
        ("github:permission/triage", Kind.LEVEL, "triage", None),
        ("slack:U012AB3CD", Kind.USER, "U012AB3CD", None),
        ("slack:@ops", Kind.GROUP, "ops", None),
        ("token:deploy-*", Kind.TOKEN, "deploy-*", None),
        ("actions:acme/shop@refs/heads/main", Kind.ACTIONS, "actions:acme/shop@refs/heads/main", None),
        ("on-call", Kind.SET, "on-call", None),
    ],
)
def test_principal_is_read_as_it_is_written(text: str, kind: Kind, name: str, team: str | None) -> None:
    found = member(text)
    assert (found.kind, found.name, found.team) == (kind, name, team)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "github:",
        "github:@",
        "github:@acme/",
        "github:@acme/Ops",
        "github:permission/",
        "github:permission/owner",
        "github:permission/none",
        "github:a b",
        "github:-x",
        "slack:octocat",
        "slack:@",
        "slack:u012",
        "token:",
        "actions:acme",
        "Ops",
        "everybody!",
        "-x",
        "github:octocat\n",
    ],
)
def test_what_names_nobody_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        member(text)


@pytest.mark.parametrize("text", ["slack:U012AB3CD", "ops", "token:x", "github:permission/write"])
def test_pages_name_people_of_github_alone(text: str) -> None:
    with pytest.raises(ValueError, match="expected github:LOGIN"):
        principal(text)
