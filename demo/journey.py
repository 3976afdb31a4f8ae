"""What `errand demo` shows: a push, comments and a Slack command travel the whole way and back."""

import asyncio
import re
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from demo.github import Check, Comment
from demo.installation import PULL, REPOSITORY, ROOT, Event, Installation, installation
from demo.slack import Message

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
        self._console = console
        self._token = token
        self.links: list[tuple[str, str]] = []
        errand.on_event = self._decided

    def _line(self, sign: str, style: str, text: str | Text) -> None:
        shown = Text.assemble((f"  {sign} ", style), text)
        self._console.print(shown, soft_wrap=True)

    def came_in(self, text: str) -> None:
        """Something arrived at a door."""
        self._line("→", "bold cyan", Text(text))

    def posted(self, where: str, text: str) -> None:
        """Something was posted; its first line is what a notification shows."""
        self._line("←", "bold green", Text.assemble((f"{where}: ", "dim"), _plain(text)))

    def _decided(self, event: Event) -> None:
        name = str(event.get("event"))
        if name not in _DECIDED:
            return
        about = f"#{event['number']} " if "number" in event else ""
        note = event.get("note") or event.get("result") or ""
        self._line("·", "dim", Text(f"{name.replace('.', ' ')} {about}{note}", style="dim"))

    async def watch(self, number: int) -> None:
        """Show the log of a run while it is written."""
        async for line in self.lines(number):
            self.show(line)

    async def lines(self, number: int) -> AsyncIterator[str]:
        """The lines of a run's log as they come, once the run has begun."""
        await self.errand.wait_for(lambda: self.errand.said("run.starting", number), STEP_SECONDS)
        async for line in self.errand.log_lines(number, self._token):
            yield line

    def show(self, line: str) -> None:
        """Show a line of a log."""
        self._console.print(Text.assemble(("    │ ", "dim"), Text.from_ansi(line)), soft_wrap=True)

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
        link = found.body.partition("](")[2].partition(")")[0]
        self.links.append((f"run #{number}", link))
        return found.body

    async def check(self, conclusion: str, name: str) -> None:
        """The newest check run called `name`, once it has its conclusion."""

        def there() -> Check | None:
            ended = (each for each in reversed(self.github.checks) if each.conclusion is not None)
            return next((each for each in ended if each.name == name), None)

        found = await self.github.wait_for(there, STEP_SECONDS)
        if found is None:
            raise Failed("there is no such check")
        self.posted(f"check on {found.head_sha[:7]}", f"{found.name}: {found.output.get('title')}")
        expect(found.conclusion == conclusion, f"the check says {found.conclusion}, not {conclusion}")

    async def message(self, words: str) -> None:
        """The Slack message that says `words`."""

        def there() -> Message | None:
            return next((each for each in reversed(self.slack.messages) if words in each.text), None)

        found = await self.slack.wait_for(there, STEP_SECONDS)
        if found is None:
            raise Failed("there is no such message")
        self.posted("Slack #ops", found.text)


def expect(condition: bool, otherwise: str) -> None:
    """Fail the step unless `condition` holds."""
    if not condition:
        raise Failed(otherwise)


def _plain(text: str) -> str:
    first = text.strip().splitlines()[0]
    shown, _, rest = first.partition("](")
    return re.sub(r"\*\*|\\|\u200b", "", shown.replace("[", "") + rest.partition(")")[2])


# Steps -------------------------------------------------------------------------------------------


async def _push(journey: Journey) -> str:
    commit = await journey.errand.commit({"NOTES.md": "A first change.\n"})
    journey.github.add_pull(REPOSITORY, PULL, commit, "main")
    journey.came_in(f"push of {commit[:7]} to main")
    answer = await journey.errand.push(commit)
    expect(answer.status_code == 202, f"the door answered {answer.status_code}")
    await journey.check("success", "errand / build shop")
    await journey.message("succeeded")
    return "the image was rebuilt; the commit and the channel know"


async def _comment(journey: Journey, text: str, number: int) -> None:
    journey.came_in(f"octocat comments on {REPOSITORY}#{PULL}: {text}")
    await journey.errand.comment(f"Let us see.\n\n{text}\n")
    await journey.watch(number)


async def _succeeds(journey: Journey) -> str:
    await _comment(journey, "/job run hello NAME='Ada Lovelace'", 1)
    card = await journey.card(1, "succeeded")
    expect("exit code `0`" in card, "the card lacks the exit code")
    await journey.check("success", "errand / hello")
    return "the job got its parameter and ran; the card and the check say it"


async def _fails(journey: Journey) -> str:
    await _comment(journey, "/job run report CODE=3", 2)
    card = await journey.card(2, "failed")
    expect("exit code 3" in card, "the card lacks exit code 3")
    expect("never paid" in card, "the card lacks the last lines of the log")
    await journey.check("failure", "errand / report")
    return "exit code 3 and the last lines came back"


async def _slack(journey: Journey) -> str:
    text = "run migrate SINCE=2024-06-01 DRY_RUN=true"
    journey.came_in(f"octocat types in Slack: /job {text}")
    before = time.perf_counter()
    answer = await journey.errand.slash(text)
    taken = time.perf_counter() - before
    expect(answer.status_code == 200, f"the door answered {answer.status_code}")
    expect(taken < 3, f"Slack was answered after {taken:.1f} s")
    await journey.watch(3)
    await journey.message("migrate #3 succeeded")
    return f"Slack was answered after {taken * 1000:.0f} ms, and told how it went"


async def _cancel(journey: Journey) -> str:
    journey.came_in(f"octocat comments on {REPOSITORY}#{PULL}: /job run nightly-backfill")
    await journey.errand.comment("/job run nightly-backfill")
    seen = 0
    async for line in journey.lines(4):
        journey.show(line)
        seen += 1
        if seen == 2:
            journey.came_in(f"octocat comments on {REPOSITORY}#{PULL}: /job cancel #4")
            await journey.errand.comment("/job cancel #4")
    card = await journey.card(4, "cancelled")
    expect("143" in card, "the card lacks the exit code that the job chose")
    return "the job was asked to stop, said so, and chose its exit code"


STEPS = (
    Step("A push rebuilds the image", _push),
    Step("A comment runs a job", _succeeds),
    Step("A job fails with exit code 3", _fails),
    Step("A Slack command runs a job", _slack),
    Step("A long run is cancelled", _cancel),
)


async def travel(*, keep: bool) -> int:
    """Run the whole demo; gives the exit code: 0 if every step did what it should."""
    console = Console()
    if not (ROOT / "app.yaml").exists():
        console.print("The demo runs from a checkout of Errand: clone the repository, then `make demo`.")
        return 2
    console.print(Panel.fit("[bold]Errand[/] between stand-ins for GitHub and Slack, all on this machine"))
    with tempfile.TemporaryDirectory(prefix="errand-demo-") as home:
        async with installation(Path(home)) as errand:
            token = await errand.command("token", "create", "demo")
            journey = Journey(errand, console, token)
            console.print(f"The service listens at {errand.url}", highlight=False)
            failures = [each for step in STEPS if (each := await _take(step, journey)) is not None]
            _summary(console, journey, failures, keep=keep)
            if keep:
                await _stay(console, errand, token)
    return 1 if failures else 0


async def _take(step: Step, journey: Journey) -> str | None:
    """Carry out one step; gives what went wrong, if anything."""
    console = journey._console
    console.print()
    console.print(Rule(step.title, align="left", style="dim"))
    try:
        async with asyncio.timeout(STEP_SECONDS):
            result = await step.act(journey)
    except Failed as problem:
        console.print(f"  [bold red]✗[/] {problem}")
        return f"{step.title}: {problem}"
    except TimeoutError:
        console.print(f"  [bold red]✗[/] nothing came for {STEP_SECONDS:.0f} s")
        return f"{step.title}: nothing came"
    console.print(f"  [bold green]✓[/] {result}")
    return None


def _summary(console: Console, journey: Journey, failures: list[str], *, keep: bool) -> None:
    """Tell how it went; links only where somebody will answer them."""
    console.print()
    if keep:
        console.print("Logs", style="bold")
        for name, link in journey.links:
            console.print(f"  {name}  [cyan]{link}[/]", highlight=False, soft_wrap=True)
    if failures:
        console.print("\n".join(["[bold red]Not everything worked:[/]", *failures]))
    else:
        console.print("[bold green]Everything travelled the whole way.[/]")
    if not keep:
        console.print("The service has ended. `make demo KEEP=1` keeps it up, to see its pages and logs.")


async def _stay(console: Console, errand: Installation, token: str) -> None:
    """Leave the service up until Ctrl-C."""
    console.print(f"\nThe service stays up at {errand.url}; sign in with the token", highlight=False)
    console.print(f"  {token}", style="bold", highlight=False)
    console.print("Ctrl-C ends it and removes everything.")
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
