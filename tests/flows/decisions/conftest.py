"""One service for all journeys of a file, and the places where a decision is seen: what one shows, all show.

Places that are told of something (GitHub, Slack) are waited for; those that are asked (API, pages, command
line, journal) have to know it by then.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from demo.github import Check, Comment
from demo.installation import REPOSITORY, Installation, installation
from demo.slack import Message, View
from demo.watched import PATIENCE
from tests.flows.slack.conftest import install
from tests.forkserver import SERVER

HERE = Path(__file__).parent
ADA = "U0000ADA"
"""In Slack; on GitHub she is `ada`."""


@dataclass(frozen=True, slots=True)
class Places:
    """An installation as `octocat` and `ada` see it, with a token that may everything."""

    errand: Installation
    token: str

    async def comment(self, *words: str) -> Comment:
        """The newest comment of ours with all these words."""
        github = self.errand.beside.github

        def there() -> Comment | None:
            ours = [each for each in reversed(github.comments) if each.login == github.bot_login]
            return next((each for each in ours if all(word in each.body for word in words)), None)

        return await github.wait_for(there)

    async def check(self, *words: str) -> Check:
        """The newest check with all these words."""
        github = self.errand.beside.github

        def there() -> Check | None:
            told = ((each, f"{each.name} {each.output}") for each in reversed(github.checks))
            return next((each for each, text in told if all(word in text for word in words)), None)

        return await github.wait_for(there)

    async def card(self, *words: str) -> Message:
        """The newest message in the channel with all these words."""
        slack = self.errand.beside.slack

        def there() -> Message | None:
            told = ((each, f"{each.text} {each.blocks}") for each in reversed(slack.messages))
            return next((each for each, text in told if all(word in text for word in words)), None)

        return await slack.wait_for(there)

    async def home(self, *words: str, user: str = ADA) -> View:
        """Somebody's Home, once it has all these words."""
        slack = self.errand.beside.slack

        def there() -> View | None:
            view = slack.homes.get(user)
            return view if view is not None and all(word in str(view.blocks) for word in words) else None

        return await slack.wait_for(there)

    async def whispered(self, *words: str) -> str:
        """What only one person in Slack is told, with all these words."""
        slack = self.errand.beside.slack
        return await slack.wait_for(
            lambda: next(
                (
                    text
                    for text in (f"{each.text} {each.blocks}" for each in reversed(slack.ephemerals))
                    if all(word in text for word in words)
                ),
                None,
            )
        )

    async def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        """What the API answers."""
        headers = {"authorization": f"Bearer {self.token}"}
        answer = await self.errand.client.request(method, path, headers=headers, json=body or None)
        assert answer.status_code < 300, answer.text
        return answer

    async def run(self, number: int) -> dict[str, Any]:
        """A run as the API tells it."""
        return dict((await self.ask("GET", f"/api/runs/{number}")).json())

    async def page(self, path: str) -> str:
        """A page."""
        answer = await self.errand.get(path, token=self.token)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def terminal(self, *words: str) -> str:
        """What the command line prints, with the token."""
        environ = {**self.errand.environ, "ERRAND_URL": self.errand.url, "ERRAND_TOKEN": self.token}
        command = [str(self.errand.program), *words]
        done = await asyncio.to_thread(SERVER.run, command, self.errand.home, environ, seconds=PATIENCE)
        assert done.returncode == 0
        return done.stdout

    async def newest(self, job: str) -> int:
        """The number of the last run of a job."""
        return int((await self.ask("GET", f"/api/runs?job={job}&limit=1")).json()["runs"][0]["number"])

    async def journal(self, **query: object) -> list[dict[str, Any]]:
        """The rows of the journal that a query asks for, newest first."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return list((await self.ask("GET", f"/api/audit?{asked}")).json()["entries"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def places(tmp_path_factory: pytest.TempPathFactory, forked: None) -> AsyncIterator[Places]:
    """A running service with SQLite; `octocat` and `ada` are known in Slack and may write."""
    home = tmp_path_factory.mktemp("decisions")
    sample = HERE.parent / "repository"
    async with installation(home, config=HERE / "app.yaml", sample=sample, environ={}) as made:
        made.on_event = print  # shown when a test fails
        made.beside.github.add_person(REPOSITORY, "ada", "write")
        made.beside.slack.add_person("ada", id=ADA)
        install(made)
        yield Places(made, await made.token("all", "admin", "read"))
