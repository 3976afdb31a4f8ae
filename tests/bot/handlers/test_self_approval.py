"""Nobody says yes to what they asked for themselves, by whatever door, name, token, hook or workflow."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.access import callers
from bot.handlers.authorization import RequestContext
from bot.handlers.places import HttpPlace
from bot.states import Cause
from bot.store import Session, journal, tokens
from bot.tables import JournalEntry
from tests.bot.handlers.approving import (
    approve,
    approving,
    ask,
    is_held,
    look,
    on_github,
    said,
    with_token,
)

HUBBER = on_github("hubber")
ALL = frozenset({"admin"})


@pytest.mark.parametrize(
    "who",
    [
        on_github("octocat"),
        on_github("OctoCat"),
        on_github("octocat", cause=Cause.PAGE),
        replace(on_github("octocat", cause=Cause.SLACK), actor="slack:octocat", place=None),
        replace(on_github("octocat"), cause=Cause.CHECK),
    ],
    ids=["comment", "case", "page", "slack", "check"],
)
async def test_nobody_says_yes_to_what_they_asked_for(tmp_path: Path, who: object) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        assert "You asked for" in await approve(home, number, who)  # type: ignore[arg-type]
        await look(home)
        assert is_held(await home.run(number))
        assert await said(home, number) == []


async def test_slack_user_without_an_account_may_be_who_asked_on_github(tmp_path: Path) -> None:
    async with approving(tmp_path, "{from: ['slack:U0SOMEBODY']}") as home:
        number = await ask(home)
        await look(home)
        stranger = replace(
            on_github("x", cause=Cause.SLACK),
            actor="slack:U0SOMEBODY",
            login=None,
            place=None,
            users=frozenset({"U0SOMEBODY"}),
        )
        assert "two people" in await approve(home, number, stranger)
        assert is_held(await home.run(number))


async def test_token_of_who_asked_is_who_asked(tmp_path: Path) -> None:
    async with approving(tmp_path, "{from: ['token:ci', 'token:other', 'github:octocat']}") as home:

        def make(session: Session) -> None:
            for name, maker in (("ci", "github:octocat"), ("other", "github:hubber")):
                tokens.add(session, name=name, hash=name, now=home.now, scopes=["run:*"])
                entry = JournalEntry(
                    at=home.now, kind="token.created", actor=maker, subject=f"token:{name}", facts={}
                )
                journal.record(session, [entry])

        await home.write(make)
        number = await ask(home)
        await look(home)
        assert "You asked for" in await approve(home, number, with_token("ci", "run:*"))
        assert "goes on" in await approve(home, number, with_token("other", "run:*"))
        await look(home)
        assert (await home.run(number)).hold is None
        by_token = await ask(home, with_token("ci", "run:*"), 1)
        await look(home)
        assert "You asked for" in await approve(home, by_token, on_github("octocat"))


@pytest.mark.parametrize("asker", ["hook:migrate/ci", "token:second"])
async def test_hook_and_token_of_a_token_are_who_made_them(tmp_path: Path, asker: str) -> None:
    async with approving(tmp_path) as home:
        made = {
            "token:first": "github:octocat",
            "token:second": "token:first",
            "hook:migrate/ci": "token:second",
        }

        def make(session: Session) -> None:
            for subject, maker in made.items():
                kind = f"{subject.partition(':')[0]}.created"
                entry = JournalEntry(at=home.now, kind=kind, actor=maker, subject=subject, facts={})
                journal.record(session, [entry])

        await home.write(make)
        caller = callers.of_hook("migrate", "ci") if asker[0] == "h" else callers.of_token("second", ALL)
        number = await ask(home, RequestContext("made", caller.cause, asker, None, HttpPlace(caller)))
        await look(home)
        assert "You asked for" in await approve(home, number, on_github("OctoCat"))
        assert "goes on" in await approve(home, number, HUBBER)


async def test_who_lets_a_workflow_ask_is_who_asked(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        name = "actions:acme/shop@refs/heads/main"
        caller = callers.of_workflow(name, frozenset({"run:migrate"}), "OctoCat")
        number = await ask(home, RequestContext("made", caller.cause, name, None, HttpPlace(caller)))
        await look(home)
        octocat = on_github("octocat")
        assert "You asked for" in await approve(home, number, octocat)
        assert await home.bot.approvals.inbox.of(octocat, 5) == []
        assert "goes on" in await approve(home, number, HUBBER)
