"""Shows what comes in, what is decided and what is posted, and checks all of it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from demo.github import Check, Comment
from demo.github.state import Deployment, Review
from demo.installation import PULL, REPOSITORY, SLACK_USER, Event, Installation
from demo.slack import Message, View

STEP_SECONDS = 30.0
"""How long any one thing may take before the demo calls it failed."""

_DECIDED = ("delivery.settled", "build.building", "build.finished", "run.running", "run.finished")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, what carries it out, and the sentence that says it worked."""

    title: str
    act: Callable[["Journey"], Awaitable[str]]


class Failed(Exception):
    """What came back is not what should have."""


class Journey:
    """Shows what comes in, what is decided and what is posted, and checks all of it."""

    def __init__(self, errand: Installation, console: Console, token: str) -> None:
        self.errand = errand
        self.github = errand.beside.github
        self.slack = errand.beside.slack
        self.console = console
        self._token = token
        self.links: dict[str, str] = {}
        self.deployment: Deployment | None = None
        errand.on_event = self._decided

    def _line(self, sign: str, style: str, text: str | Text) -> None:
        shown = Text.assemble((f"  {sign} ", style), text)
        self.console.print(shown, soft_wrap=True)

    def came_in(self, text: str) -> None:
        """Something arrived at a door."""
        self._line("→", "bold cyan", Text(text))

    def posted(self, where: str, text: str) -> None:
        """Something was posted; its first line is what a notification shows."""
        self.appeared(where, _plain(text))

    def appeared(self, where: str, text: str) -> None:
        """Something came back that is no markup."""
        self._line("←", "bold green", Text.assemble((f"{where}: ", "dim"), text))

    def _decided(self, event: Event) -> None:
        name = str(event.get("event"))
        if name not in _DECIDED:
            return
        about = f"#{event['number']} " if "number" in event else ""
        note, *_ = str(event.get("note") or event.get("result") or "").splitlines() or [""]
        self._line("·", "dim", Text(f"{name.replace('.', ' ')} {about}{note}".rstrip(), style="dim"))

    async def watch(self, number: int) -> None:
        """Show the log of a run while it is written."""
        async for line in self.lines(number):
            self.show(line)

    async def lines(self, number: int) -> AsyncIterator[str]:
        """The lines of a run's log as they come, once the run has begun."""
        await self.errand.wait_for(lambda: self.errand.has_logged("run.starting", number), STEP_SECONDS)
        async for line in self.errand.log_lines(number, self._token):
            yield line

    def show(self, line: str) -> None:
        """Show a line of a log."""
        self.console.print(Text.assemble(("    │ ", "dim"), Text.from_ansi(line)), soft_wrap=True)

    async def card(self, number: int, words: str) -> str:
        """The comment about run `number`, once it says `words`."""
        page = f"/runs/{number}?"

        def there() -> Comment | None:
            about = (each for each in self.github.comments if page in each.body)
            return next((each for each in about if words in each.body), None)

        found = await self.github.wait_for(there, STEP_SECONDS)
        if found is None:
            raise Failed("there is no such comment")
        self.posted(f"comment on {REPOSITORY}#{PULL}", found.body)
        self.links[f"run #{number}"] = found.body.partition("](")[2].partition(")")[0]
        return found.body

    async def check(self, conclusion: str, name: str, number: int) -> Check:
        """The check run `name` of a run or build, once it has its conclusion."""

        def there() -> Check | None:
            known = (each for each in self.github.checks if each.name == f"errand / {name}")
            about = (each for each in known if (each.output.get("title") or "").startswith(f"#{number} "))
            return next((each for each in about if each.conclusion is not None), None)

        found = await self.github.wait_for(there, STEP_SECONDS)
        if found is None:
            raise Failed("there is no such check")
        self.posted(f"check on {found.head_sha[:7]}", f"{found.name}: {found.output.get('title')}")
        if found.details_url is not None:
            self.links[f"{'build' if name.startswith('build ') else 'run'} #{number}"] = found.details_url
        for each in found.annotations:
            self.posted(f"beside {each['path']}, line {each['start_line']}", str(each["message"]))
        expect(found.conclusion == conclusion, f"the check says {found.conclusion}, not {conclusion}")
        return found

    async def open_check(self, name: str, number: int) -> Check:
        """The check run `name` of a run that has not ended, once it has buttons."""

        def there() -> Check | None:
            known = (each for each in self.github.checks if each.name == f"errand / {name}")
            about = (each for each in known if (each.output.get("title") or "").startswith(f"#{number} "))
            return next((each for each in about if each.conclusion is None and each.actions), None)

        found = await self.github.wait_for(there, STEP_SECONDS)
        if found is None:
            raise Failed("there is no such check")
        buttons = ", ".join(action["label"] for action in found.actions)
        self.posted(f"check on {found.head_sha[:7]}", f"{found.output.get('title')}; buttons: {buttons}")
        return found

    async def reply(self, words: str) -> Comment:
        """The comment that says `words` to who asked."""

        def there() -> Comment | None:
            return next((each for each in reversed(self.github.comments) if words in each.body), None)

        found = await self.github.wait_for(there, STEP_SECONDS)
        if found is None:
            raise Failed("there is no such comment")
        self.posted(f"comment on {REPOSITORY}#{PULL}", found.body)
        return found

    async def review(self, run: int, state: str) -> None:
        """What a run of a workflow that waits at an environment was told."""

        def there() -> Review | None:
            return next((each for each in self.github.reviews if each.run == run and each.state), None)

        found = await self.github.wait_for(there, STEP_SECONDS)
        if found is None:
            raise Failed("the workflow still waits")
        self.posted(f"workflow {run} at {found.environment}", f"{found.state}: {found.comment}")
        expect(found.state == state, f"the deploy was {found.state}, not {state}")

    async def outputs(self, number: int) -> dict[str, str]:
        """What a run has given for others to use."""
        answer = await self.errand.get(f"/api/runs/{number}", token=self._token)
        found: dict[str, str] = answer.json()["outputs"]
        self.posted(f"API, run #{number}", ", ".join(f"{name}={value}" for name, value in found.items()))
        return found

    async def message(self, words: str) -> Message:
        """The Slack message that says `words`."""

        def there() -> Message | None:
            return next((each for each in reversed(self.slack.messages) if words in each.text), None)

        found = await self.slack.wait_for(there, STEP_SECONDS)
        if found is None:
            raise Failed("there is no such message")
        self.posted("Slack #ops", found.text)
        return found

    async def form(self, words: str) -> View:
        """The form that octocat sees in Slack, once its title says `words`."""

        def there() -> View | None:
            shown = (each for each in reversed(self.slack.views) if each.open)
            return next((each for each in shown if words in each.content["title"]["text"]), None)

        found = await self.slack.wait_for(there, STEP_SECONDS)
        labels = [each["label"]["text"] for each in found.blocks if each["type"] == "input"]
        self.appeared("a form", f"{found.content['title']['text']}: {', '.join(labels) or 'which one?'}")
        return found

    async def home(self, shows: Callable[[str], bool]) -> View:
        """octocat's Home in Slack, once its text is right."""

        def there() -> View | None:
            found = self.slack.homes.get(SLACK_USER)
            return found if found is not None and shows(str(found.blocks)) else None

        found = await self.slack.wait_for(there, STEP_SECONDS)
        headers = [each["text"]["text"] for each in found.blocks if each["type"] == "header"]
        self.appeared("Home", " · ".join(headers))
        return found


def expect(condition: bool, otherwise: str) -> None:
    """Fail the step unless `condition` holds."""
    if not condition:
        raise Failed(otherwise)


def _plain(text: str) -> str:
    first = text.strip().splitlines()[0]
    shown, _, rest = first.partition("](")
    return re.sub(r"\*\*|\\|\u200b", "", shown.replace("[", "") + rest.partition(")")[2])
