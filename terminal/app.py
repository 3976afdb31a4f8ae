"""The command line as one tree of commands, and how all of them end."""

import sys

from terminal import (
    applying,
    approving,
    audit,
    builds,
    chatting,
    deliveries,
    freezing,
    hooks,
    jobs,
    locks,
    logging_in,
    looking,
    removing,
    repositories,
    running,
    serving,
    sessions,
    setup,
    streams,
    tokens,
    topics,
    who,
)
from terminal.failures import INTERRUPTED, REFUSED, Failure, say
from terminal.helping import Commands
from terminal.signals import heard

cli = Commands(
    name="errand",
    help="A ChatOps job runner: pull requests and Slack start jobs, pushes build images, answers come back.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
cli.callback()(serving.common)
for part in (
    running,
    looking,
    jobs,
    removing,
    builds,
    locks,
    freezing,
    approving,
    audit,
    who,
    applying,
    logging_in,
    chatting,
    serving,
):
    part.add_to(cli)
cli.add_typer(tokens.group(), name="token")
cli.add_typer(hooks.group(), name="hook")
cli.add_typer(deliveries.group(), name="delivery")
cli.add_typer(sessions.group(), name="session")
cli.add_typer(repositories.group(), name="repositories")
cli.add_typer(setup.group(), name="setup")
cli.command("tokens")(tokens.listing)
cli.command("hooks")(hooks.listing)
cli.command("deliveries")(deliveries.listing)
cli.command("list")(jobs.jobs)
cli.command("help")(topics.show)


def main() -> None:
    """Run what was typed; the exit code is 2 where that was wrong, 1 where Errand refused."""
    streams.opened()
    try:
        try:
            with heard():
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
