"""The command line as one tree of commands, and how all of them end."""

import sys

import typer

from terminal import builds, chatting, hooks, jobs, locks, looking, running, serving, streams, tokens
from terminal.failures import INTERRUPTED, REFUSED, Failure, say

cli = typer.Typer(
    name="errand",
    help="A ChatOps job runner: pull requests and Slack start jobs, pushes build images, answers come back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in plain text: drawing it takes longer than everything else here
)
for part in (running, looking, jobs, builds, locks, chatting, serving):
    part.add_to(cli)
cli.add_typer(tokens.group(), name="token")
cli.add_typer(hooks.group(), name="hook")
cli.command("tokens")(tokens.listing)
cli.command("hooks")(hooks.listing)
cli.command("list")(jobs.jobs)


def main() -> None:
    """Run what was typed; the exit code is 2 where that was wrong, 1 where Errand refused."""
    streams.opened()
    try:
        try:
            cli()
        finally:
            sys.stdout.flush()
    except Failure as error:
        say(str(error))
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever read stdout has enough
        streams.abandoned(sys.stdout)
        sys.exit(REFUSED)
    except OSError as error:
        streams.abandoned(sys.stdout)
        say(f"{error.filename or 'stdout'} cannot be used: {error.strerror or error}.")
        sys.exit(REFUSED)
