"""What the App of an `app.yaml` may do and hears: all that its jobs need, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.catalog.triggers import KINDS, WORDS
from bot.config import Config, github_app, load
from bot.config.github_app import AppNeeds
from bot.errors import ConfigError
from executor.spec import Secret

HEARD = {
    "check_run",
    "check_suite",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "repository",
}
ALWAYS = {
    "metadata": "read",
    "contents": "read",
    "issues": "write",
    "pull_requests": "write",
    "checks": "write",
}


def config(*on: object, **more: Any) -> Config:
    job: dict[str, Any] = {"name": "migrate", "command": "true", "on": list(on)}
    return Config.model_validate({"jobs": {"migrate": job}} | more)


def test_jobs_that_nothing_starts_need_comments_and_checks_only() -> None:
    assert github_app.needs(config()) == AppNeeds(ALWAYS, tuple(sorted(HEARD)))


def test_deployment_takes_its_event_and_the_right_to_say_how_it_goes() -> None:
    needs = github_app.needs(config({"deployment": "production"}))
    assert set(needs.events) == HEARD | {"deployment"}
    assert needs.permissions == ALWAYS | {"deployments": "write"}


def test_every_event_that_a_job_may_name_has_its_permissions() -> None:
    named = {kind.event for kind in KINDS.values()} | set(WORDS)
    assert named <= set(github_app._OF_EVENTS)


def test_what_an_app_lacks_is_told_by_name_and_level() -> None:
    needs = AppNeeds({"checks": "write", "contents": "read"}, ("push",))
    assert list(needs.beyond({"checks": "write", "contents": "write"}, ("push", "create"))) == []
    assert list(needs.beyond({"checks": "read"}, ())) == [
        "the permission checks: write (it has read)",
        "the permission contents: read",
        "the event push",
    ]


@pytest.mark.parametrize(
    ("url", "hook", "name"),
    [
        (
            "https://jobs.example.com",
            "https://jobs.example.com/webhooks/github",
            "errand-jobs-example-com",
        ),
        ("http://127.0.0.1:8000", "https://errand.invalid/webhooks/github", "errand-acme"),
        ("http://localhost:8000", "https://errand.invalid/webhooks/github", "errand-acme"),
    ],
)
def test_manifest_names_an_address_that_github_takes(url: str, hook: str, name: str) -> None:
    images = {"shop": {"name": "shop", "build": {"repository": "acme/shop"}}}
    manifest = github_app.manifest(config(url=url, images=images), redirect="http://127.0.0.1:1/made")
    assert manifest["hook_attributes"] == {"url": hook, "active": True}
    assert manifest["callback_urls"] == [f"{url}/login/github/callback"]
    assert (manifest["name"], manifest["public"]) == (name, False)
    assert manifest["redirect_url"] == "http://127.0.0.1:1/made"
    assert "push" in str(manifest["default_events"])


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://github.example.com/api/v3", "https://github.example.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
    ],
)
def test_people_see_another_address_than_programs(api: str, web: str) -> None:
    assert github_app.web_url(api) == web


def test_required_checks_take_the_right_to_read_statuses() -> None:
    job = {"name": "migrate", "command": "true", "requires": [{"checks": {"only": ["test"]}}, "review"]}
    needs = github_app.needs(Config.model_validate({"jobs": {"migrate": job}}))
    assert needs.permissions == ALWAYS | {"statuses": "read"}


def test_knowing_who_is_a_member_takes_the_right_to_read_members() -> None:
    slack: dict[str, Any] = {"bot_token": Secret("xoxb-1"), "email_domains": ["acme.com"]}
    assert github_app.needs(config(slack=slack)).permissions == ALWAYS | {"members": "read"}
    assert github_app.needs(config(slack=slack | {"email_domains": []})).permissions == ALWAYS
    for who, more in (("github:@acme", {"members": "read"}), ("github:octocat", {})):
        for kind in ("access", "admins"):
            assert github_app.needs(config(pages={kind: [who]})).permissions == ALWAYS | more
        ruled = {"name": "a", "command": "true", "deny": [who]}
        assert github_app.needs(config(jobs={"a": ruled})).permissions == ALWAYS | more
        assert github_app.needs(config(people={"ops": [who]})).permissions == ALWAYS | more


@pytest.mark.parametrize(
    ("requires", "told"),
    [
        ("[reviews]", "did you mean review?"),
        ("[{bases: [main]}]", "did you mean base?"),
        ("[{checks: {onyl: [a]}}]", "did you mean only?"),
        ("[review]", "a github section is needed"),
    ],
)
def test_requirement_that_cannot_hold_is_told_in_its_place(tmp_path: Path, requires: str, told: str) -> None:
    path = tmp_path / "app.yaml"
    path.write_text(f"jobs:\n  migrate:\n    command: 'true'\n    requires: {requires}\n")
    with pytest.raises(ConfigError, match=f"app.yaml:4:.*{re.escape(told)}"):
        load(path, {})


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("127.0.0.1.example.com", False),
        (None, False),
    ],
)
def test_this_machine_is_told_by_its_addresses_alone(host: str, here: bool) -> None:
    assert github_app.is_loopback(host) is here
