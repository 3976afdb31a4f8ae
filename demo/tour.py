"""What `errand demo` shows: everything travels the whole way and back."""

import asyncio
import signal
import tempfile
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule

from demo.installation import ROOT, Installation, installation
from demo.journey import STEP_SECONDS, Failed, Journey, Step
from demo.steps import STEPS


async def travel(*, keep: bool) -> int:
    """Run the whole demo; gives the exit code: 0 if every step did what it should."""
    console = Console()
    if not (ROOT / "app.yaml").exists():
        console.print("The demo runs from a checkout of Errand: clone the repository, then `make demo`.")
        return 2
    console.print(Panel.fit("[bold]Errand[/] between stand-ins for GitHub and Slack, all on this machine"))
    with tempfile.TemporaryDirectory(prefix="errand-demo-") as home:
        async with installation(Path(home), environ={"SHOP_STATUS": f"{home}/status"}) as errand:
            token = await errand.token("demo")
            journey = Journey(errand, console, token)
            console.print(f"The service listens at {errand.url}", highlight=False)
            failures = [each for step in STEPS if (each := await _take(step, journey)) is not None]
            _summary(console, journey, failures, keep=keep)
            if keep:
                await _stay(console, errand, token)
    return 1 if failures else 0


async def _take(step: Step, journey: Journey) -> str | None:
    """Carry out one step; gives what went wrong, if anything."""
    console = journey.console
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
        for name, link in journey.links.items():
            console.print(f"  {name}  [cyan]{link}[/]", highlight=False, soft_wrap=True)
    if failures:
        console.print("\n".join(["[bold red]Not everything worked:[/]", *failures]))
    else:
        console.print("[bold green]Everything travelled the whole way.[/]")
    if not keep:
        console.print("The service has ended. `make demo KEEP=1` keeps it up, with its pages and logs.")


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
