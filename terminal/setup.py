"""`errand setup github`: the App is made in the browser, on a page that this command serves."""

import asyncio
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terminal.configured import DEFAULT, ConfigOption, finished
from terminal.credentials import BrowserOption, check_variables, read, show_page
from terminal.failures import Failure, say
from terminal.helping import Commands
from terminal.setup_slack import slack

if TYPE_CHECKING:
    import uvicorn

    from bot.config.at_hand import AppAtHand

_GOODBYE = 2
"""Seconds for the last page to be read by the browser."""


def group() -> Commands:
    """The commands."""
    cli = Commands(help="Connect Errand with a service outside.")
    cli.command("github")(github)
    cli.command("slack")(slack)
    return cli


def github(
    config: ConfigOption = DEFAULT,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The port of the page; 0 takes a free one.")
    ] = 0,
    browser: BrowserOption = True,
    force: Annotated[
        bool, typer.Option("--force", help="Make another App in place of the one that is configured.")
    ] = False,
) -> None:
    """Make a GitHub App with exactly what app.yaml needs, and write its keys into `.env`.

    Two clicks in the browser: make the App, install it on repositories.
    """
    from bot.config.at_hand import Service

    app = read(config, Service.GITHUB)
    check_variables(app, config, app.fields, force=force)
    finished(_serve(app, config, port, browser=browser))


async def _serve(app: "AppAtHand", config: Path, port: int, *, browser: bool) -> None:
    import uvicorn

    from bot.config import at_hand, github_app
    from bot.github.registration import register
    from webhooks.pages.renderer import PageRenderer
    from webhooks.pages.setup import PATH, AppSetup, Entrance

    github = app.config.github
    api_url = github.api_url if github else github_app.CLOUD
    with _listen(port) as listener:
        here = f"http://127.0.0.1:{listener.getsockname()[1]}"
        renderer = PageRenderer(clock=time.time)
        setup = AppSetup(
            app, config, Entrance(here), renderer, lambda code: register(api_url, code, time.time)
        )
        settings = uvicorn.Config(
            setup.alone(),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=_GOODBYE,
        )
        server = uvicorn.Server(settings)
        say(f"Open {here}{PATH} in a browser on this machine; Ctrl-C ends.")
        if browser:
            await asyncio.to_thread(show_page, f"{here}{PATH}")
        ending = asyncio.create_task(_end_when(setup.made, server))
        await server.serve(sockets=[listener])
        ending.cancel()
    if setup.registration is None:
        raise Failure("No App was made.")
    made = setup.registration
    names = ", ".join(app.kept.values())
    print(f"{made.slug} is made. Its keys are in {config.with_name('.env')}: {names}.")
    print(f"Install it: {made.installing}")
    if not app.is_named:
        print(f"{config} needs these lines:\n{at_hand.section(app.service)}")
    if app.login_lines:
        print(f"For people to log in to the pages add to the section github of {config}:\n{app.login_lines}")


async def _end_when(made: asyncio.Event, server: "uvicorn.Server") -> None:
    await made.wait()
    server.should_exit = True


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise Failure(
            f"127.0.0.1:{port} cannot be listened on: {error.strerror}. --port chooses another one."
        ) from None
    return listener
