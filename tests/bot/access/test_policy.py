"""Who may do what."""

import pytest

from bot.access.policy import may_build, may_run


@pytest.mark.parametrize("permission", ["write", "maintain", "admin"])
def test_who_may_write_may_run(permission: str) -> None:
    assert may_run(login="octocat", permission=permission, repository="acme/shop", allowed=True).allowed


@pytest.mark.parametrize("permission", ["none", "read", "triage", "", None, "WRITE", "owner", "deployer"])
def test_who_may_not_write_may_not_run_and_is_told_politely(permission: str | None) -> None:
    verdict = may_run(login="octocat", permission=permission, repository="acme/shop", allowed=True)
    assert not verdict.allowed
    assert verdict.sentence == "Sorry, `octocat`: running jobs of `acme/shop` needs write access to it."
    assert verdict.reason.startswith("permission ")


def test_repository_that_is_not_allowed_runs_nothing_for_anyone() -> None:
    verdict = may_run(login="octocat", permission="admin", repository="evil/shop", allowed=False)
    assert not verdict.allowed
    assert verdict.reason == "repository not allowed"


def test_unknown_slack_user_is_told_how_to_become_known() -> None:
    verdict = may_run(login=None, permission="admin", repository="acme/shop", allowed=True)
    assert not verdict.allowed
    assert "slack.people" in verdict.sentence


def test_code_of_the_repository_itself_may_be_built() -> None:
    assert may_build(fork=False, forks=False).allowed


def test_code_of_a_fork_may_be_built_only_where_forks_are_allowed() -> None:
    verdict = may_build(fork=True, forks=False)
    assert not verdict.allowed
    assert "fork" in verdict.sentence
    assert may_build(fork=True, forks=True).allowed
