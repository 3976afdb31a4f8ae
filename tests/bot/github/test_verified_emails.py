"""Whose an address is: what an organization's members have verified, and nothing else."""

import asyncio

import pytest

from bot.errors import Refused, RetryLater
from bot.github import GitHub, verified_emails
from demo.github import GitHubStandIn
from executor.spec import Secret
from tests.clocks import Clock

KIM = "kim@acme.com"


@pytest.fixture
def standin(standin: GitHubStandIn) -> GitHubStandIn:
    standin.add_member("acme", "Kim", KIM, "kim@home.example", domains=["acme.com"])
    for installation in standin.state.installations.values():
        installation.permissions["members"] = "read"
    return standin


def questions(standin: GitHubStandIn) -> int:
    return len([each for each in standin.requests if each.path == "/graphql"])


async def test_verified_address_of_a_verified_domain_is_its_members(
    standin: GitHubStandIn, app: GitHub
) -> None:
    assert await app.emails.logins("Acme", "Kim@ACME.com") == {"Kim"}
    for address in ("kim@home.example", "lee@acme.com", "", "K\u0130m@acme.com", "\u212aim@acme.com"):
        assert await app.emails.logins("acme", address) == frozenset()
    assert questions(standin) == 1


async def test_many_ask_one_question_and_a_member_who_left_is_forgotten(
    standin: GitHubStandIn, app: GitHub, clock: Clock
) -> None:
    found = await asyncio.gather(*(app.emails.logins("acme", KIM) for _ in range(20)))
    assert set(found) == {frozenset({"Kim"})}
    assert questions(standin) == 1
    del standin.state.organizations["acme"].members["Kim"]
    clock.ahead += verified_emails.KEPT + 1
    assert await app.emails.logins("acme", KIM) == frozenset()


async def test_they_are_read_anew_before_they_end_while_nobody_waits(
    standin: GitHubStandIn, app: GitHub, clock: Clock
) -> None:
    await app.emails.logins("acme", KIM)
    standin.add_member("acme", "Lee", "lee@acme.com")
    clock.ahead += verified_emails.RENEWED + 1
    assert await app.emails.logins("acme", "lee@acme.com") == frozenset()
    clock.ahead += verified_emails.RENEWED
    assert await app.emails.logins("acme", "lee@acme.com") == {"Lee"}
    assert questions(standin) == 2


async def test_all_pages_are_read(standin: GitHubStandIn, app: GitHub) -> None:
    for number in range(230):
        standin.add_member("acme", f"m{number:03}", f"m{number:03}@acme.com")
    assert await app.emails.logins("acme", "m229@acme.com") == {"m229"}
    assert questions(standin) == 3


async def test_organization_that_is_too_large_knows_nobody(
    standin: GitHubStandIn, app: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verified_emails, "PAGES", 1)
    for number in range(100):
        standin.add_member("acme", f"m{number:03}", f"m{number:03}@acme.com")
    with pytest.raises(Refused, match="too many members"):
        await app.emails.logins("acme", "m001@acme.com")


async def test_missing_permission_is_a_no_that_is_asked_again_a_minute_later(
    standin: GitHubStandIn, app: GitHub, clock: Clock
) -> None:
    (installation,) = standin.state.installations.values()
    del installation.permissions["members"]
    for _ in range(3):
        with pytest.raises(Refused, match="not accessible"):
            await app.emails.logins("acme", KIM)
    assert questions(standin) == 1
    installation.permissions["members"] = "read"
    clock.ahead += verified_emails.REFUSAL_KEPT + 1
    assert await app.emails.logins("acme", KIM) == {"Kim"}


async def test_account_of_a_person_and_one_without_the_app_know_nobody(
    standin: GitHubStandIn, app: GitHub
) -> None:
    standin.add_repository("hubot/notes")
    for account in ("hubot", "elsewhere", "-", "a/b"):
        if account in ("hubot", "elsewhere"):
            assert await app.emails.logins(account, KIM) == frozenset()
        else:
            with pytest.raises(Refused):
                await app.emails.logins(account, KIM)


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "INTERNAL"])
async def test_limit_is_for_later_and_not_remembered(standin: GitHubStandIn, app: GitHub, kind: str) -> None:
    standin.fail("/graphql$", 200, body={"data": None, "errors": [{"type": kind, "message": "later"}]})
    with pytest.raises(RetryLater):
        await app.emails.logins("acme", KIM)
    assert await app.emails.logins("acme", KIM) == {"Kim"}


async def test_error_beside_members_counts_none_of_them(standin: GitHubStandIn, app: GitHub) -> None:
    page = {"nodes": [{"login": "Eve", "organizationVerifiedDomainEmails": [KIM]}], "pageInfo": {}}
    body = {
        "data": {"organization": {"membersWithRole": page}},
        "errors": [{"type": "FORBIDDEN", "message": "some of it"}],
    }
    standin.fail("/graphql$", 200, body=body)
    with pytest.raises(Refused):
        await app.emails.logins("acme", KIM)


async def test_odd_answers_are_nobodys(standin: GitHubStandIn, app: GitHub) -> None:
    nodes = [
        None,
        {"login": None, "organizationVerifiedDomainEmails": [KIM]},
        {"login": "Eve", "organizationVerifiedDomainEmails": [7, None, "\u212aim@acme.com"]},
        {"login": "Lee", "organizationVerifiedDomainEmails": None},
    ]
    body = {"data": {"organization": {"membersWithRole": {"nodes": nodes, "pageInfo": None}}}}
    standin.fail("/graphql$", 200, body=body)
    assert await app.emails.logins("acme", KIM) == frozenset()


async def test_who_asks_while_they_are_read_comes_again_and_finds_them(
    standin: GitHubStandIn, app: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verified_emails, "WAIT", 0.0)
    with pytest.raises(RetryLater) as later:
        await app.emails.logins("acme", KIM)
    assert later.value.delay == verified_emails.LATER
    monkeypatch.setattr(verified_emails, "WAIT", 30.0)
    assert await app.emails.logins("acme", KIM) == {"Kim"}
    assert questions(standin) == 1


async def test_token_of_a_member_may_ask_too(standin: GitHubStandIn, clock: Clock) -> None:
    token = standin.add_token("ghp_kim", "Kim")
    github = GitHub(api_url=standin.url, token=Secret(token), clone_url="", clock=clock)
    try:
        assert await github.emails.logins("acme", KIM) == {"Kim"}
    finally:
        await github.close()
